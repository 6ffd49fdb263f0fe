"""Weights in files that Keras saved: .keras, .weights.h5 and .h5, matched by layer name."""

from pathlib import Path

import keras

from efficientmixnet.modules.network.weights.by_name import matches_by_name
from efficientmixnet.modules.network.weights.keras_applications import is_of_keras_applications, load_arrays
from efficientmixnet.modules.network.weights.keras_arrays import read_arrays


def load_saved_weights(model: keras.Model, path: str | Path) -> keras.Model:
    """Loads a file of a model that was built here, or of one of keras.applications' EfficientNets.

    A model without classifier or head ignores those of the file.

    Args:
        model: A model built here.
        path: A .keras, .weights.h5 or .h5 file.

    Returns:
        The model.

    Raises:
        ValueError: The file does not exist, or the weights do not fit. No weight is changed.
    """
    saved = read_arrays(Path(path))
    if is_of_keras_applications(saved):
        return load_arrays(model, saved)
    for weight, value in matches_by_name(model, saved):
        weight.assign(value)
    return model
