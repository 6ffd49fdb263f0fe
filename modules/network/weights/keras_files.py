"""Weights in files that Keras saved: .keras, .weights.h5 and .h5, matched by layer name."""

from pathlib import Path

import keras

from efficientmixnet.modules.network.weights.adapt import adapt
from efficientmixnet.modules.network.weights.keras_applications import is_of_keras_applications, load_arrays
from efficientmixnet.modules.network.weights.keras_arrays import read_arrays
from efficientmixnet.modules.network.weights.transfer import Transfer, transfer_weights

_TOP = ("head_conv", "head_norm", "predictions")


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
    transfers = []
    for layer in model.layers:
        values = adapt(layer, saved.get(layer.name, []))
        for index, weight in enumerate(layer.weights):
            value = values[index] if index < len(values) else None
            transfers.append(Transfer(layer.name, weight, f"{layer.name}/{weight.name}", value))
    transfer_weights(transfers, saved.keys() - {transfer.layer for transfer in transfers} - {*_TOP})
    return model
