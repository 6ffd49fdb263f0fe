"""The normalizations by name: "bn", "an" and "iebn"."""

from typing import Any

import keras

from efficientmixnet.modules.layers.attentive_normalization import AttentiveNormalization
from efficientmixnet.modules.layers.batch_normalization import BatchNormalization
from efficientmixnet.modules.layers.instance_enhancement_batch_normalization import (
    InstanceEnhancementBatchNormalization,
)

KINDS = ("bn", "an", "iebn")


def normalization(
    kind: str,
    *,
    n_mixture: int = 5,
    momentum: float = 0.99,
    epsilon: float = 1e-3,
    data_format: str | None = None,
    synchronized: bool = False,
    name: str | None = None,
) -> keras.layers.Layer:
    """A normalization layer. Only "an" reads n_mixture; data_format None is Keras's image_data_format()."""
    channels_first = (data_format or keras.config.image_data_format()) == "channels_first"
    common: dict[str, Any] = {
        "axis": 1 if channels_first else -1,
        "momentum": momentum,
        "epsilon": epsilon,
        "synchronized": synchronized,
        "name": name,
    }
    if kind == "bn":
        return BatchNormalization(**common)
    if kind == "an":
        return AttentiveNormalization(n_mixture=n_mixture, **common)
    if kind == "iebn":
        return InstanceEnhancementBatchNormalization(**common)
    raise ValueError(f"normalization: kind must be one of {', '.join(KINDS)}, got {kind!r}.")
