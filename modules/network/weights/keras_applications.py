"""Weights of keras.applications' EfficientNets B0 to B7, including those trained on ImageNet.

keras.applications' models scale the pixels. Ours take images that `preprocess_input` has scaled.
"""

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import keras
import numpy as np

from efficientmixnet.modules.network.weights.adapt import adapt, is_cut
from efficientmixnet.modules.network.weights.departures import smaller_kernels
from efficientmixnet.modules.network.weights.keras_arrays import read_arrays
from efficientmixnet.modules.network.weights.published_start import start_as_published
from efficientmixnet.modules.network.weights.start import warn_of_inexact_start
from efficientmixnet.modules.network.weights.transfer import Transfer, transfer_weights

_LAYERS = {"stem_norm": "stem_bn", "head_conv": "top_conv", "head_norm": "top_bn"}
_STEPS = {
    "expand_norm": "expand_bn",
    "depthwise_conv": "dwconv",
    "depthwise_norm": "bn",
    "project_norm": "project_bn",
}
_OF_THEIR_TOP = ("top_conv", "top_bn", "predictions")


def load_keras_applications_weights(model: keras.Model, source: keras.Model | str | Path) -> keras.Model:
    """Loads the weights of a keras.applications model.

    Args:
        model: A model built here.
        source: A keras.applications model, or the path of its .h5, .weights.h5 or .keras file.

    Returns:
        The model. If it does not start with the function of the published network, a warning says why.

    Raises:
        ValueError: The file does not exist, or the weights do not fit. No weight is changed.
    """
    arrays = arrays_of(source) if isinstance(source, keras.Model) else read_arrays(Path(source))
    return start_as_published(model, partial(load_arrays, arrays=arrays))


def is_of_keras_applications(arrays: Mapping[str, list[np.ndarray]]) -> bool:
    """Whether the layers have the names of keras.applications' EfficientNets."""
    return _LAYERS["stem_norm"] in arrays


def load_arrays(model: keras.Model, arrays: Mapping[str, list[np.ndarray]]) -> keras.Model:
    """Loads arrays by the layer names of keras.applications, directly. See load_keras_applications_weights."""
    transfers, cut = [], 0
    for layer in model.layers:
        for index, weight in enumerate(layer.weights):
            name, position = keras_applications_name(layer.name, weight.name, index)
            values = adapt(layer, arrays.get(name, []))
            value = values[position] if position < len(values) else None
            transfers.append(Transfer(layer.name, weight, f"{name}/{weight.name}", value))
            cut += index == 0 and is_cut(layer, arrays.get(name, []))
    used = {transfer.source_name.split("/")[0] for transfer in transfers}
    unused = {name for name in arrays.keys() - used if name not in _OF_THEIR_TOP and not scales_pixels(name)}
    transfer_weights(transfers, unused)
    warn_of_inexact_start("published", smaller_kernels(cut))
    return model


def keras_applications_name(layer: str, weight: str, index: int) -> tuple[str, int]:
    """Returns the layer's name in keras.applications, and the index of the weight in that layer."""
    if not (block := re.fullmatch(r"stage([0-9]+)_block([0-9]+)_(\w+)", layer)):
        return _LAYERS.get(layer, layer), index
    prefix = f"block{block[1]}{chr(ord('a') + int(block[2]) - 1)}"
    if inner := re.fullmatch(r"(reduce|expand)_(kernel|bias)", weight):
        return f"{prefix}_se_{inner[1]}", ("kernel", "bias").index(inner[2])
    return f"{prefix}_{_STEPS.get(block[3], block[3])}", index


def scales_pixels(layer: str) -> bool:
    """Whether a layer of keras.applications' EfficientNets scales the pixels."""
    return layer.startswith("normalization")


def arrays_of(model: keras.Model) -> dict[str, list[np.ndarray]]:
    """Returns the weights of each layer that has some, by its name."""
    return {layer.name: layer.get_weights() for layer in model.layers if layer.weights}
