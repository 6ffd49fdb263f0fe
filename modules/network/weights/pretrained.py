"""load_pretrained: loads the weights that a builder's `weights` names."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import keras

from efficientmixnet.modules.network.variants import VARIANTS
from efficientmixnet.modules.network.weights.imagenet_weights import load_imagenet_weights, start_from
from efficientmixnet.modules.network.weights.keras_applications import is_of_keras_applications, load_arrays
from efficientmixnet.modules.network.weights.keras_arrays import read_arrays
from efficientmixnet.modules.network.weights.keras_files import load_saved_weights
from efficientmixnet.modules.network.weights.timm import load_timm_weights


def load_pretrained(model: keras.Model, weights: str | Path, variant: str) -> keras.Model:
    """Loads "imagenet" or a file: .keras, .weights.h5 or .h5 (ours or keras.applications'), or .safetensors (timm)."""
    if weights == "imagenet":
        return load_imagenet_weights(model, variant)
    load: Callable[[keras.Model], Any]
    name = Path(weights).name
    if name.endswith((".keras", ".h5")):
        arrays = read_arrays(Path(weights))
        if not is_of_keras_applications(arrays):
            return load_saved_weights(model, weights)
        load = partial(load_arrays, arrays=arrays)
    elif name.endswith(".safetensors"):
        load = partial(load_timm_weights, source=weights)
    else:
        raise ValueError(
            f"weights={str(weights)!r}: give None, 'imagenet', or a path that ends with .weights.h5, .keras, .h5 or "
            ".safetensors (timm)"
        )
    return start_from(model, variant, load) if variant in VARIANTS else load(model)
