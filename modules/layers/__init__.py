"""The layers of the networks, one idea a file, on Keras and numpy alone."""

from importlib import import_module
from typing import Any

_FILES = {
    "AttentiveNormalization": "attentive_normalization",
    "BatchNormalization": "batch_normalization",
    "DropConnect": "drop_connect",
    "GroupedPointwiseConv2D": "grouped_pointwise_conv2d",
    "InstanceEnhancementBatchNormalization": "instance_enhancement_batch_normalization",
    "Mish": "mish",
    "MixedDepthwiseConv2D": "mixed_depthwise_conv2d",
    "SqueezeExcite": "squeeze_excite",
    "Swish": "swish",
    "convolution_initializer": "initializers",
    "dense_initializer": "initializers",
    "normalization": "normalization_by_name",
}

__all__ = list(_FILES)


def __getattr__(name: str) -> Any:
    if name not in _FILES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_FILES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
