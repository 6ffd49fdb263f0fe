"""adapt: makes the weights of a layer from those of a simpler layer, so that it computes the same.

- AN from batch normalization: the maps are gamma and beta, times the factors with which AN starts, which sum to 2 in
  each channel. The attention starts anew too, so every map has the weight sigmoid(0) = 1/2.
- IEBN from batch normalization: gamma is divided by the gate's start, sigmoid(-1).
- A mixed depthwise convolution from an ordinary one: a larger kernel is the given one with zeros around it. A smaller
  kernel is the center of the given one, and does not compute the same.
"""

import math
from collections.abc import Sequence

import keras
import numpy as np

from efficientmixnet.modules.layers import (
    AttentiveNormalization,
    InstanceEnhancementBatchNormalization,
    MixedDepthwiseConv2D,
)
from efficientmixnet.modules.layers.attentive_normalization import maps_of_bn

_GATE = 1 / (1 + math.e)  # sigmoid(-1)


def adapt(layer: keras.layers.Layer, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Returns the weights of a layer, in the order of `layer.weights`.

    Args:
        layer: A layer of the model. It must be built.
        arrays: The weights of the layer with the same place in another network.

    Returns:
        The adapted weights, or `arrays` if there is nothing to adapt. A layer with fewer weights gets none of them.
    """
    if isinstance(layer, (AttentiveNormalization, InstanceEnhancementBatchNormalization)) and len(arrays) == 4:
        values = _of_batch_norm(layer, *arrays)
        return [values[weight.name] for weight in layer.weights]
    if isinstance(layer, MixedDepthwiseConv2D) and len(arrays) == 1:
        return _kernels(layer, arrays[0])
    # Some of IEBN's arrays have the shapes of batch normalization's, but other meanings.
    return list(arrays) if len(arrays) <= len(layer.weights) else []


def is_cut(layer: keras.layers.Layer, arrays: Sequence[np.ndarray]) -> bool:
    """Whether `adapt` cuts the given kernel, so that the layer computes something else."""
    mixed = isinstance(layer, MixedDepthwiseConv2D) and len(arrays) == 1 and np.ndim(arrays[0]) == 4
    return mixed and min(layer.kernel_size) < arrays[0].shape[0]


def _of_batch_norm(
    layer: keras.layers.Layer, gamma: np.ndarray, beta: np.ndarray, mean: np.ndarray, variance: np.ndarray
) -> dict[str, np.ndarray]:
    moving = {"moving_mean": mean, "moving_variance": variance}
    if isinstance(layer, InstanceEnhancementBatchNormalization):
        gate = {"gate_weight": np.zeros_like(gamma), "gate_bias": np.full_like(gamma, -1)}
        return {"gamma": gamma / _GATE, "beta": beta, **gate, **moving}
    factors = np.asarray(maps_of_bn(layer.gamma.shape))  # (mixtures, channels), which differ from map to map
    attention = {
        "attention_kernel": np.zeros(layer.attention_kernel.shape, "float32"),
        "attention_bias": np.zeros(layer.n_mixture, "float32"),
    }
    return {**attention, "gamma": factors * gamma, "beta": factors * beta, **moving}


def _kernels(layer: MixedDepthwiseConv2D, kernel: np.ndarray) -> list[np.ndarray]:
    """Splits a kernel (size, size, channels, 1) by groups of channels, and resizes each part."""
    channels = [weight.shape[2] for weight in layer.weights]
    if kernel.ndim != 4 or sum(channels) != kernel.shape[2]:
        return [kernel]
    parts = np.split(kernel, np.cumsum(channels)[:-1], axis=2)
    return [_resized(part, weight.shape[0]) for part, weight in zip(parts, layer.weights, strict=True)]


def _resized(kernel: np.ndarray, size: int) -> np.ndarray:
    more = size - kernel.shape[0]
    if more % 2:
        return kernel  # it has no center to keep; the check of the shapes refuses it
    if more >= 0:
        margin = more // 2
        return np.pad(kernel, [(margin, margin), (margin, margin), (0, 0), (0, 0)])
    margin = -more // 2
    return kernel[margin:-margin, margin:-margin]
