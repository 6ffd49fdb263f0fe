"""load_imagenet_weights: starts a network of any kind from the published weights of its variant.

The weights are loaded into the published network, and from there into the model. So every network starts from the same
files: one with other norms, kernels or activations, or without squeeze-excite.
"""

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np

from efficientmixnet.modules.layers import MixedDepthwiseConv2D
from efficientmixnet.modules.network.body import classifier, feature_maps, head
from efficientmixnet.modules.network.layer_options import LayerOptions
from efficientmixnet.modules.network.plan import plan_network
from efficientmixnet.modules.network.transfer_learning import CLASSIFIER
from efficientmixnet.modules.network.variants import get_variant
from efficientmixnet.modules.network.weights.by_name import matches_by_name
from efficientmixnet.modules.network.weights.keras_applications import load_keras_applications_weights
from efficientmixnet.modules.network.weights.published import TIMM_MODELS, check_published
from efficientmixnet.modules.network.weights.squeeze_excite import fold_squeeze_excite
from efficientmixnet.modules.network.weights.timm import load_timm_weights

_CLASSES = 1000


class InexactStart(UserWarning):
    """The model does not start with the function of the published network."""


def load_imagenet_weights(model: keras.Model, variant: str) -> keras.Model:
    """Downloads the published weights of a variant, and loads them into a model of any kind.

    EfficientNets get keras.applications' weights, whose hash Keras checks. MixNets get timm's, which need the packages
    huggingface_hub and safetensors. Weights that cannot fit are refused before the download.

    Args:
        model: A model built here.
        variant: The full name of its variant, such as EfficientNetB0.

    Returns:
        The model. If it does not start with the function of the published network, a warning says why.

    Raises:
        ValueError: There are no such weights, or they do not fit. No weight is changed.
        ImportError: huggingface_hub or safetensors is not installed.
    """
    check_published(variant)
    top = [layer for layer in model.layers if layer.name == CLASSIFIER]
    if top and top[0].units != _CLASSES:
        raise ValueError(
            f"weights of layer 'predictions': the model has {top[0].units} classes, ImageNet {_CLASSES}; "
            f"build with classes={_CLASSES}, then call reset_classifier(model, {top[0].units})"
        )
    return start_from(model, variant, lambda plain: _download(plain, variant, include_top=bool(top)))


def start_from(model: keras.Model, variant: str, load: Callable[[keras.Model], Any]) -> keras.Model:
    """Loads weights of the published network of a variant into a model of any kind.

    Args:
        model: A model built here.
        variant: The full name of its variant.
        load: Loads the weights into the published network. It is called if the two networks fit together.

    Returns:
        The model. If it does not start with the function of the published network, a warning says why.

    Raises:
        ValueError: The weights do not fit. No weight is changed.
    """
    plain = _published_network(variant, next((layer.units for layer in model.layers if layer.name == CLASSIFIER), None))
    _matches(model, plain)
    load(plain)
    for weight, value in _matches(model, plain):
        weight.assign(value)
    if reasons := ", ".join(_departures(model, plain, variant)):
        warnings.warn(f"the network does not start exactly as published: {reasons}", InexactStart, stacklevel=3)
    return model


def _download(plain: keras.Model, variant: str, include_top: bool) -> None:
    if variant not in TIMM_MODELS:
        theirs = getattr(keras.applications, variant)
        load_keras_applications_weights(plain, theirs(include_top=include_top, weights="imagenet"))
        return
    try:
        from huggingface_hub import hf_hub_download
    except ImportError as error:
        raise ImportError(
            f"weights='imagenet': those of {variant} need huggingface_hub; pip install 'efficientmixnet[timm]'"
        ) from error
    load_timm_weights(plain, hf_hub_download(f"timm/{TIMM_MODELS[variant]}", "model.safetensors"))


def _published_network(variant: str, classes: int | None) -> keras.Model:
    """Builds the network as its authors published it, without a classifier if `classes` is None."""
    plan = plan_network(get_variant(variant))
    options = LayerOptions("channels_last", momentum=0.99, epsilon=1e-3, synchronized=False)
    image = keras.Input((None, None, 3))
    x = head(feature_maps(image, plan, options), plan, options)
    if classes is not None:
        pooled = keras.layers.GlobalAveragePooling2D(data_format="channels_last")(x)
        x = classifier(pooled, classes, "softmax", dropout_rate=0)
    return keras.Model(image, x)


def _matches(model: keras.Model, plain: keras.Model) -> list[tuple[keras.Variable, np.ndarray]]:
    arrays = {layer.name: layer.get_weights() for layer in plain.layers if layer.weights}
    fold_squeeze_excite(arrays, plain, {layer.name for layer in model.layers})
    return matches_by_name(model, arrays)


def _departures(model: keras.Model, plain: keras.Model, variant: str) -> Iterator[str]:
    """Says in a few words each why the two networks differ."""
    ours, theirs = ({layer.name: layer for layer in each.layers} for each in (model, plain))
    both = [(ours[name], theirs[name]) for name in theirs if name in ours]
    smaller = sum(_smallest(mine) < _smallest(its) for mine, its in both if isinstance(its, MixedDepthwiseConv2D))
    if smaller:
        yield f"{smaller} depthwise convolutions have smaller kernels"
    activations = {(_kind(mine), _kind(its)) for mine, its in both if its.name.endswith("_activation")}
    yield from sorted(f"{mine} instead of {its}" for mine, its in activations if mine != its)
    if any(name.endswith("_squeeze_excite") and name not in ours for name in theirs):
        yield "gates of squeeze-excite are constant"
    if ours["stem_conv"].strides != theirs["stem_conv"].strides:
        yield "the stem has no stride"
    if not TIMM_MODELS.get(variant, "tf_").startswith("tf_"):
        yield "timm trained its weights with another padding"


def _smallest(layer: MixedDepthwiseConv2D) -> int:
    return min(layer.kernel_size)


def _kind(layer: keras.layers.Layer) -> str:
    return getattr(getattr(layer, "activation", None), "__name__", type(layer).__name__).lower()
