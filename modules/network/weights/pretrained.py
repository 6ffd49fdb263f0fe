"""load_pretrained: loads the weights that a builder's `weights` names."""

from pathlib import Path

import keras

from efficientmixnet.modules.network.weights.imagenet_weights import load_imagenet_weights
from efficientmixnet.modules.network.weights.keras_files import load_saved_weights
from efficientmixnet.modules.network.weights.timm import load_timm_weights


def load_pretrained(model: keras.Model, weights: str | Path, variant: str) -> keras.Model:
    """Loads "imagenet" or a file: .keras, .weights.h5 or .h5 (ours or keras.applications'), or .safetensors (timm)."""
    if weights == "imagenet":
        return load_imagenet_weights(model, variant)
    name = Path(weights).name
    if name.endswith((".keras", ".h5")):
        return load_saved_weights(model, weights)
    if name.endswith(".safetensors"):
        return load_timm_weights(model, weights)
    raise ValueError(
        f"weights={str(weights)!r}: give None, 'imagenet', or a path that ends with .weights.h5, .keras, .h5 or "
        ".safetensors (timm)"
    )
