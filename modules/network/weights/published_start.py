"""start_as_published: starts a network of any kind from weights in the layout of a published network.

The weights are loaded into the published network, and from there into the model. So every network starts from the same
files: one with other norms, kernels or activations, or without squeeze-excite.
"""

from collections.abc import Callable
from typing import Any

import keras

from efficientmixnet.modules.network.weights.departures import layers_of
from efficientmixnet.modules.network.weights.published import has_tensorflows_padding
from efficientmixnet.modules.network.weights.published_network import published_network, variant_of
from efficientmixnet.modules.network.weights.start import fitting, start


def start_as_published(
    model: keras.Model, load: Callable[[keras.Model], Any], *, as_tensorflow: bool = True
) -> keras.Model:
    """Loads weights into a model through the published network whose blocks it has.

    Args:
        model: A model built here. If its blocks are no published network's, the weights are loaded into it directly.
        load: Loads the weights into a model.
        as_tensorflow: Whether the weights were trained with the padding and epsilon of TensorFlow, not of PyTorch.

    Returns:
        The model. If it does not start with the function of the published network, a warning says why.

    Raises:
        ValueError: The weights do not fit. No weight is changed.
    """
    if variant := variant_of(model):
        return start_from(model, variant, load, as_tensorflow=as_tensorflow)
    load(model)
    return model


def start_from(
    model: keras.Model, variant: str, load: Callable[[keras.Model], Any], *, as_tensorflow: bool = True
) -> keras.Model:
    """Loads weights of the published network of a variant into a model of any kind.

    Args:
        model: A model built here.
        variant: The full name of its variant.
        load: Loads the weights into the published network. It is called if the two networks fit together.
        as_tensorflow: See `start_as_published`.

    Returns:
        The model. If it does not start with the function of the published network, a warning says why.

    Raises:
        ValueError: The weights do not fit. No weight is changed.
    """
    as_tensorflow = as_tensorflow and has_tensorflows_padding(variant)
    plain = published_network(variant, model, as_tensorflow=as_tensorflow)
    fitting(model, _arrays(plain), like=plain)
    load(plain)
    more = () if as_tensorflow else ("timm trained its weights with another padding",)
    return start(model, _arrays(plain), layers_of(plain.layers), like=plain, known_as="published", more=more)


def _arrays(model: keras.Model) -> dict[str, Any]:
    return {layer.name: layer.get_weights() for layer in model.layers if layer.weights}
