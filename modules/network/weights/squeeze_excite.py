"""fold_squeeze_excite: makes the weights of blocks without squeeze-excite from those of blocks with it."""

from collections.abc import Collection
from typing import Any

import keras
import numpy as np

_ENDING = "squeeze_excite"
# Points that divide a standard normal distribution into equal parts.
_NORMAL = np.quantile(np.random.default_rng(0).standard_normal(10_000), (np.arange(64) + 0.5) / 64)


def fold_squeeze_excite(arrays: dict[str, list[np.ndarray]], source: keras.Model, kept: Collection[str]) -> None:
    """Multiplies the convolutions behind missing squeeze-excites by the gates of an average image.

    The normalization before a squeeze-excite has the mean beta and the deviation gamma in every channel, from which the
    means that the gate depends on follow.

    Args:
        arrays: The weights of the source by layer name, which are changed.
        source: The network with squeeze-excite.
        kept: The names of the layers in the other network.
    """
    for layer in source.layers:
        block = layer.name.removesuffix(_ENDING)
        if block == layer.name or layer.name in kept:
            continue
        del arrays[layer.name]
        gamma, beta, *_ = arrays[f"{block}depthwise_norm"]
        values = (beta + _NORMAL[:, None] * gamma).astype("float32")[None, :, None]  # (1, 64, 1, channels)
        maps = source.get_layer(f"{block}depthwise_activation")(values)
        before, after = (np.abs(_array(each)).sum(axis=(0, 1, 2)) for each in (maps, layer(maps)))
        gates = after / np.maximum(before, 1e-12)
        kernels = arrays[f"{block}project_conv"]  # each (1, 1, channels of its group, filters)
        parts = np.split(gates, np.cumsum([kernel.shape[2] for kernel in kernels])[:-1])
        arrays[f"{block}project_conv"] = [k * part[:, None] for k, part in zip(kernels, parts, strict=True)]


def _array(tensor: Any) -> np.ndarray:
    """Returns a tensor as float32 in NumPy, also one of PyTorch that requires gradients."""
    return keras.ops.convert_to_numpy(tensor).astype("float32")
