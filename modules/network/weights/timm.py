"""Weights of timm's efficientnet and mixnet models.

Models whose names start with tf_ give the same outputs here as in timm. The others were trained with PyTorch's
symmetric padding and epsilon 1e-5, so they need fine-tuning. timm_config.py tells them apart.
"""

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import keras
import numpy as np

from efficientmixnet.modules.network.weights.adapt import adapt
from efficientmixnet.modules.network.weights.published_start import start_as_published
from efficientmixnet.modules.network.weights.timm_config import TimmConfig
from efficientmixnet.modules.network.weights.timm_file import read_tensors
from efficientmixnet.modules.network.weights.transfer import Transfer, transfer_weights

_PARTS = {
    "kernel": "weight",
    "bias": "bias",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}
_BATCH_NORM = ("gamma", "beta", "moving_mean", "moving_variance")
_LAYERS = {
    "stem_conv": "conv_stem",
    "stem_norm": "bn1",
    "head_conv": "conv_head",
    "head_norm": "bn2",
    "predictions": "classifier",
}
_EXPANDING = {
    "expand_conv": "conv_pw",
    "expand_norm": "bn1",
    "depthwise_conv": "conv_dw",
    "depthwise_norm": "bn2",
    "squeeze_excite": "se",
    "project_conv": "conv_pwl",
    "project_norm": "bn3",
}
_NOT_EXPANDING = {
    "depthwise_conv": "conv_dw",
    "depthwise_norm": "bn1",
    "squeeze_excite": "se",
    "project_conv": "conv_pw",
    "project_norm": "bn2",
}


def load_timm_weights(model: keras.Model, source: str | Path | Mapping[str, np.ndarray]) -> keras.Model:
    """Loads weights of a timm model.

    A model without classifier or head ignores those of the checkpoint.

    Args:
        model: A model built here.
        source: The path of a safetensors file, or a mapping from timm's names to arrays.

    Returns:
        The model. If it does not start with the function of the published network, a warning says why.

    Raises:
        ValueError: The file does not exist or is damaged, or the weights do not fit. No weight is changed.
        ImportError: safetensors is not installed.
    """
    tensors = source if isinstance(source, Mapping) else read_tensors(source)
    trained = TimmConfig() if isinstance(source, Mapping) else TimmConfig.of(source)
    load = partial(load_tensors, tensors=tensors)
    return start_as_published(model, load, as_tensorflow=trained.has_tensorflows_padding)


def load_tensors(model: keras.Model, tensors: Mapping[str, np.ndarray]) -> keras.Model:
    """Loads tensors by timm's names, directly. See load_timm_weights."""
    names = {layer.name for layer in model.layers}
    transfers: list[Transfer] = []
    for layer in model.layers:
        expanding = f"{_block_of(layer.name)}_expand_conv" in names
        if layer.name.endswith("_norm"):
            transfers += _of_a_norm(layer, expanding, tensors)
            continue
        kernels = sum(weight.name.startswith("kernel_") for weight in layer.weights)
        for weight in layer.weights:
            name = timm_name(layer.name, weight.name, expanding, kernels > 1)
            value = tensors.get(name)
            transfers.append(
                Transfer(layer.name, weight, name, None if value is None else _to_keras(value, weight, name))
            )
    left_out = {timm for ours, timm in _LAYERS.items() if ours not in names and not ours.startswith("stem")}
    used = {transfer.source_name for transfer in transfers}
    unused = {
        name
        for name in tensors
        if name not in used and name.split(".")[0] not in left_out and not name.endswith("num_batches_tracked")
    }
    transfer_weights(transfers, unused)
    return model


def timm_name(layer: str, part: str, expanding: bool, several: bool) -> str:
    """Returns timm's name of a layer's variable. `several` says that the layer has one kernel per group."""
    if not (block := re.fullmatch(r"stage([0-9]+)_block([0-9]+)_(\w+)", layer)):
        return f"{_LAYERS.get(layer, layer)}.{_PARTS.get(part, part)}"
    step = (_EXPANDING if expanding else _NOT_EXPANDING).get(block[3], block[3])
    prefix = f"blocks.{int(block[1]) - 1}.{int(block[2]) - 1}.{step}"
    if inner := re.fullmatch(r"(reduce|expand)_(kernel|bias)", part):
        return f"{prefix}.conv_{inner[1]}.{_PARTS[inner[2]]}"
    if group := re.fullmatch(r"kernel_([0-9]+)", part):
        return f"{prefix}.{group[1]}.weight" if several else f"{prefix}.weight"
    return f"{prefix}.{_PARTS.get(part, part)}"


def _of_a_norm(layer: keras.layers.Layer, expanding: bool, tensors: Mapping[str, np.ndarray]) -> list[Transfer]:
    """timm's norms are batch normalization. Each of its four weights belongs to one of the layer's."""
    names = {part: timm_name(layer.name, part, expanding, False) for part in _BATCH_NORM}
    given = [np.asarray(tensors[name]) for name in names.values() if name in tensors]
    values = adapt(layer, given) if len(given) == len(names) else [None] * len(layer.weights)
    return [
        Transfer(layer.name, weight, names.get(weight.name, names["gamma"]), value)
        for weight, value in zip(layer.weights, values, strict=False)
    ]


def _block_of(layer: str) -> str:
    return "_".join(layer.split("_")[:2])


def _to_keras(value: np.ndarray, weight: keras.Variable, name: str) -> np.ndarray:
    """Converts PyTorch's layout, (out, in, height, width) or (out, in), to Keras's."""
    value = np.asarray(value)
    if value.ndim == 4:
        depthwise = ".conv_dw." in name  # (channels, 1, height, width) -> (height, width, channels, 1)
        value = value.transpose(2, 3, 0, 1) if depthwise else value.transpose(2, 3, 1, 0)
        return value.reshape(value.shape[2:]) if len(weight.shape) == 2 else value
    return value.T if value.ndim == 2 else value
