"""Augmentation of training pictures: TensorFlow operations without state, the same for the same seed.

The public names are looked up on first use, so that TensorFlow is imported only where pictures are changed.
"""

from importlib import import_module
from typing import Any

_PUBLIC = {
    "augment_picture": "efficientmixnet.modules.augmentation.picture",
    "mix_pictures": "efficientmixnet.modules.augmentation.mixing",
}

__all__ = list(_PUBLIC)


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
