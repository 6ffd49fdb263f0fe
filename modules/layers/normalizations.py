"""normalization: the layer of a kind of normalization."""

from collections.abc import Callable, Mapping
from typing import Any

import keras

from efficientmixnet.modules.layers.attentive_normalization import AttentiveNormalization
from efficientmixnet.modules.layers.batch_normalization import BatchNormalization
from efficientmixnet.modules.layers.data_format import checked_data_format
from efficientmixnet.modules.layers.instance_enhancement_batch_normalization import (
    InstanceEnhancementBatchNormalization,
)
from efficientmixnet.modules.layers.norm import DEFAULT_NORM, Norm

_LAYERS: Mapping[str, Callable[..., keras.layers.Layer]] = {
    "bn": lambda norm, **common: BatchNormalization(**common),
    "an": lambda norm, **common: AttentiveNormalization(n_mixture=norm.n_mixture, init=norm.init, **common),
    "iebn": lambda norm, **common: InstanceEnhancementBatchNormalization(init=norm.init, **common),
}


def normalization(
    norm: str | Norm,
    *,
    momentum: float = 0.99,
    epsilon: float = 1e-3,
    data_format: str | None = None,
    synchronized: bool = False,
    name: str | None = None,
) -> keras.layers.Layer:
    """Returns a normalization layer.

    Args:
        norm: A kind, such as "an", or a Norm.
        momentum: Of the moving statistics.
        epsilon: Added to the variance.
        data_format: "channels_last" or "channels_first". None: Keras's image_data_format().
        synchronized: Whether the statistics are those of the batch of all replicas.
        name: The layer's name.

    Raises:
        ValueError: There is no such kind or data format.

    Example:
        >>> normalization(Norm("an", n_mixture=10)).n_mixture
        10
    """
    complete = Norm.of(norm).or_else(DEFAULT_NORM)
    channels_first = checked_data_format(data_format, "normalization") == "channels_first"
    common: dict[str, Any] = {
        "axis": 1 if channels_first else -1,
        "momentum": momentum,
        "epsilon": epsilon,
        "synchronized": synchronized,
        "name": name,
    }
    return _LAYERS[str(complete.kind)](complete, **common)
