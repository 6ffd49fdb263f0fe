"""Weights in files that Keras saved: .keras, .weights.h5 and .h5, matched by layer name."""

from functools import partial
from pathlib import Path

import keras

from efficientmixnet.modules.network.weights.keras_applications import is_of_keras_applications, load_arrays
from efficientmixnet.modules.network.weights.keras_arrays import read_arrays, read_layers
from efficientmixnet.modules.network.weights.published_start import start_as_published
from efficientmixnet.modules.network.weights.start import start


def load_saved_weights(model: keras.Model, path: str | Path) -> keras.Model:
    """Loads a file of a model that was built here, or of one of keras.applications' EfficientNets.

    A model without classifier or head ignores those of the file.

    Args:
        model: A model built here.
        path: A .keras, .weights.h5 or .h5 file.

    Returns:
        The model. If it does not start with the function of the saved one, a warning says why. A .weights.h5 file does
        not record its activations.

    Raises:
        ValueError: The file does not exist, or the weights do not fit. No weight is changed.
    """
    saved = read_arrays(Path(path))
    if is_of_keras_applications(saved):
        return start_as_published(model, partial(load_arrays, arrays=saved))
    return start(model, saved, read_layers(Path(path)), like=model, known_as="saved")
