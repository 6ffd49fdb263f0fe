"""load_imagenet_weights: starts a network of any kind from the published weights of its variant."""

import keras

from efficientmixnet.modules.network.transfer_learning import CLASSIFIER
from efficientmixnet.modules.network.weights.keras_applications import arrays_of, load_arrays
from efficientmixnet.modules.network.weights.published import TIMM_MODELS, check_published
from efficientmixnet.modules.network.weights.published_start import start_from
from efficientmixnet.modules.network.weights.timm import load_tensors
from efficientmixnet.modules.network.weights.timm_file import read_tensors

_CLASSES = 1000


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


def _download(plain: keras.Model, variant: str, include_top: bool) -> None:
    if variant not in TIMM_MODELS:
        theirs = getattr(keras.applications, variant)
        load_arrays(plain, arrays_of(theirs(include_top=include_top, weights="imagenet")))
        return
    try:
        from huggingface_hub import hf_hub_download
    except ImportError as error:
        raise ImportError(
            f"weights='imagenet': those of {variant} need huggingface_hub; pip install 'efficientmixnet[timm]'"
        ) from error
    load_tensors(plain, read_tensors(hf_hub_download(f"timm/{TIMM_MODELS[variant]}", "model.safetensors")))
