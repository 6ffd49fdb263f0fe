"""The network library and everything that runs inside the components.

The public names are looked up on first use, so that what needs no Keras (checking a configuration, `--help`)
does not import it.
"""

from importlib import import_module
from typing import Any

_PUBLIC = {
    "BlockArgs": "efficientmixnet.modules.network",
    "EfficientNetBuilder": "efficientmixnet.modules.network",
    "Lookahead": "efficientmixnet.modules.optimizers",
    "Ranger": "efficientmixnet.modules.optimizers",
    "RectifiedAdam": "efficientmixnet.modules.optimizers",
}

__all__ = list(_PUBLIC)


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
