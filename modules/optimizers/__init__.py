"""Optimizers that Keras 3 lacks, and the way from a name in a configuration to any optimizer.

The public names are looked up on first use: `specification` is pure data and is read without Keras.
"""

from importlib import import_module
from typing import Any

_PUBLIC = {
    "Lookahead": "efficientmixnet.modules.optimizers.lookahead",
    "Ranger": "efficientmixnet.modules.optimizers.ranger",
    "RectifiedAdam": "efficientmixnet.modules.optimizers.rectified_adam",
    "build_optimizer": "efficientmixnet.modules.optimizers.build",
    "parse_optimizer": "efficientmixnet.modules.optimizers.specification",
}

__all__ = list(_PUBLIC)


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
