"""departures: why a network does not start with the function of the one that its weights come from."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from efficientmixnet.modules.network.choices import ACTIVATIONS
from efficientmixnet.modules.network.transfer_learning import CLASSIFIER
from efficientmixnet.modules.network.weights.adapt import is_cut

Layers = Mapping[str, Mapping[str, Any]]
"""The class and the configuration of each layer, by its name."""

_POOLINGS = {"GlobalAveragePooling2D": "average", "GlobalMaxPooling2D": "max"}


def layers_of(layers: Iterable[keras.layers.Layer]) -> Layers:
    """Returns the class and the configuration of each layer, as in a saved model."""
    return {layer.name: {"class_name": type(layer).__name__, **layer.get_config()} for layer in layers}


def departures(model: keras.Model, arrays: Mapping[str, Sequence[np.ndarray]], source: Layers) -> Iterator[str]:
    """Says in a few words each why the model will not compute what the source does.

    Args:
        model: The model that gets the weights.
        arrays: The weights of the source, by layer name.
        source: The layers of the source. Those that are not known are taken for equal.
    """
    yield from smaller_kernels(sum(is_cut(layer, arrays.get(layer.name, ())) for layer in model.layers))
    names = {layer.name for layer in model.layers}
    ours = layers_of(layer for layer in model.layers if layer.name in source)
    both = [(name, mine, source[name]) for name, mine in ours.items()]
    activations = {(_activation(mine), _activation(its)) for name, mine, its in both if name.endswith("_activation")}
    yield from sorted(f"{mine} instead of {its}" for mine, its in activations if mine != its)
    if any(name.endswith("_squeeze_excite") and name not in names for name in arrays):
        yield "gates of squeeze-excite are constant"
    for name, mine, its in both:
        if name.endswith("_conv") and _stride(mine) != _stride(its):
            yield f"{name} has a stride of {_stride(mine)}"
    yield from _other_pooling(ours, source)
    norms = ((mine.get("epsilon"), its.get("epsilon")) for name, mine, its in both if name.endswith("_norm"))
    epsilons = {(mine, its) for mine, its in norms if isinstance(its, float) and mine != its}
    yield from sorted(f"epsilon {mine:g} instead of {its:g}" for mine, its in epsilons)
    if source and any(name.startswith("stage") and name.endswith("_add") for name in names ^ source.keys()):
        yield "other shortcuts"


def smaller_kernels(count: int) -> Iterator[str]:
    """Says how many kernels are cut, if any."""
    if count:
        several = f"{count} depthwise convolutions have smaller kernels"
        yield "1 depthwise convolution has a smaller kernel" if count == 1 else several


def _other_pooling(ours: Layers, source: Layers) -> Iterator[str]:
    if CLASSIFIER not in ours:
        return  # the features are the same, and what becomes of them is new
    mine, its = (_POOLINGS.get(str(layers.get("pool", {}).get("class_name"))) for layers in (ours, source))
    if mine and its and mine != its:
        yield f"{mine} instead of {its} pooling"


def _activation(layer: Mapping[str, Any]) -> str:
    """Returns the name of an activation. One that we do not build is not repeated, since it comes from outside."""
    name = str(layer["class_name"]).rpartition(">")[2].lower()
    if name == "activation":
        name = str(layer.get("activation"))
    return name if name in ACTIVATIONS else "another activation"


def _stride(layer: Mapping[str, Any]) -> Any:
    strides = layer.get("strides")
    return strides[0] if isinstance(strides, (list, tuple)) and strides else strides
