"""EfficientNet, MixNet and their attentive kin: one builder, the variants as data.

The public names are looked up on first use: tables, block strings and counts need no Keras.
"""

from importlib import import_module
from typing import Any

from efficientmixnet.modules.network.variants import list_variants

_HERE = "efficientmixnet.modules.network"
_PUBLIC = {
    "BlockArgs": f"{_HERE}.block_args",
    "EfficientNetBuilder": f"{_HERE}.builder",
    "compound_scale": f"{_HERE}.scaling",
    "get_variant": f"{_HERE}.variants",
    "smallest_image_size": f"{_HERE}.plan",
    "total_stride": f"{_HERE}.plan",
}

__all__ = ["list_variants", *_PUBLIC]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
