"""fold_squeeze_excite: makes the weights of blocks without squeeze-excite from those of blocks with it."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

_ENDING = "squeeze_excite"
# Points that divide a standard normal distribution into equal parts.
_NORMAL = np.quantile(np.random.default_rng(0).standard_normal(10_000), (np.arange(64) + 0.5) / 64)


def fold_squeeze_excite(arrays: dict[str, list[np.ndarray]], source: keras.Model, kept: Collection[str]) -> None:
    """Multiplies the convolutions behind missing squeeze-excites by the gates of an average image.

    The normalization before a squeeze-excite gives every channel a normal distribution, from which the means that the
    gate depends on follow: with batch normalization, beta is its mean and gamma its deviation. A squeeze-excite without
    such a normalization stays as it is.

    Args:
        arrays: The weights of a network with squeeze-excite, by layer name, which are changed.
        source: A network with its activations and kinds of normalization.
        kept: The names of the layers in the other network.
    """
    layers = {layer.name: layer for layer in source.layers}
    for name in [each for each in arrays if each.endswith(f"_{_ENDING}") and each not in kept]:
        block = name.removesuffix(_ENDING)
        step = "depthwise" if f"{block}depthwise_norm" in arrays else "expand"  # of a fused block
        kernels, values = arrays.get(f"{block}project_conv", []), _normalized(f"{block}{step}_norm", arrays, layers)
        activation = layers.get(f"{block}{step}_activation")
        if values is None or activation is None or not _fit(arrays[name], kernels, values.shape[-1]):
            continue
        gates = _gates(_array(activation(values[None, :, None])).mean(axis=(0, 1, 2)), arrays.pop(name), activation)
        parts = np.split(gates, np.cumsum([kernel.shape[2] for kernel in kernels])[:-1])
        # Each kernel is (height, width, channels of its group, filters).
        arrays[f"{block}project_conv"] = [k * part[:, None] for k, part in zip(kernels, parts, strict=True)]


def _normalized(
    norm: str, arrays: Mapping[str, Sequence[np.ndarray]], layers: Mapping[str, keras.layers.Layer]
) -> np.ndarray | None:
    """Returns what a norm makes of an average image, (64, channels), or None if it is not known."""
    weights = arrays.get(norm, [])
    shapes = [np.shape(weight) for weight in weights]
    if len(shapes) == 4 and len(shapes[0]) == 1 and len(set(shapes)) == 1:
        gamma, beta, *_ = weights
        return (beta + _NORMAL[:, None] * gamma).astype("float32")
    layer = layers.get(norm)
    if layer is None or shapes != [tuple(weight.shape) for weight in layer.weights]:
        return None
    last = type(layer).from_config({**layer.get_config(), "axis": -1})
    channels = layer.moving_mean.shape[0]
    last.build((None, len(_NORMAL), 1, channels))
    last.set_weights(weights)
    mean, variance = _array(last.moving_mean), _array(last.moving_variance)
    image = mean + _NORMAL[:, None] * np.sqrt(variance + layer.epsilon)
    return _array(last(image.astype("float32")[None, :, None]))[0, :, 0]


def _fit(weights: Sequence[np.ndarray], kernels: Sequence[np.ndarray], channels: int) -> bool:
    """Whether the weights of a squeeze-excite and of the convolution behind it have this number of channels."""
    if len(weights) != 4 or any(np.ndim(kernel) != 4 for kernel in kernels):
        return False
    width = sum(kernel.shape[2] for kernel in kernels)
    inner = np.shape(weights[0])[-1:]
    into, out = np.shape(weights[0])[-2:-1], np.shape(weights[2])[-1:]
    return inner == np.shape(weights[1]) and (width,) == (channels,) == into == out == np.shape(weights[3])


def _gates(means: np.ndarray, weights: Sequence[np.ndarray], activation: keras.layers.Layer) -> np.ndarray:
    """Returns sigmoid(W2 activation(W1 mean + b1) + b2), (channels,)."""
    reduce, reduce_bias, expand, expand_bias = (np.asarray(weight, "float32") for weight in weights)
    inner = _array(activation((means @ reduce.reshape(means.size, -1) + reduce_bias)[None]))[0]
    return _array(ops.sigmoid(inner @ expand.reshape(-1, means.size) + expand_bias))


def _array(tensor: Any) -> np.ndarray:
    """Returns a tensor as float32 in NumPy, also one of PyTorch that requires gradients."""
    return keras.ops.convert_to_numpy(tensor).astype("float32")
