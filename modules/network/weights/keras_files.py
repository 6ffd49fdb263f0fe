"""Weights in files that Keras saved: .weights.h5 and .keras, matched by layer name.

Only arrays are read. Nothing in a .keras file is built or run.
"""

import io
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np

from efficientmixnet.modules.network.weights.transfer import Transfer, transfer_weights

_NOT_WEIGHTS = ("seed_generator",)
_TOP = ("head_conv", "head_norm", "predictions")


def load_saved_weights(model: keras.Model, path: str | Path) -> keras.Model:
    """Loads a .weights.h5 or .keras file of a model that was built here.

    A model without classifier or head ignores those of the file.

    Args:
        model: A model built here.
        path: The file.

    Returns:
        The model.

    Raises:
        ValueError: The file does not exist, or the weights do not fit. No weight is changed.
    """
    saved = _read(Path(path))
    transfers = []
    for layer in model.layers:
        values = saved.get(layer.name, [])
        for index, weight in enumerate(layer.weights):
            value = values[index] if index < len(values) else None
            transfers.append(Transfer(layer.name, weight, f"{layer.name}/{weight.name}", value))
    transfer_weights(transfers, saved.keys() - {transfer.layer for transfer in transfers} - {*_TOP})
    return model


def _read(path: Path) -> dict[str, list[np.ndarray]]:
    import h5py  # Keras's own dependency, needed only here

    if not path.is_file():
        raise ValueError(f"weights {str(path)!r}: there is no such file")
    content: Any = path
    if path.suffix == ".keras":
        with zipfile.ZipFile(path) as archive:
            content = io.BytesIO(archive.read("model.weights.h5"))
    with h5py.File(content) as file:
        groups = [group for group in file["layers"].values() if "vars" in group]
        named = {group["vars"].attrs.get("name"): _arrays(group) for group in groups}
    return {name: arrays for name, arrays in named.items() if arrays}


def _arrays(group: Any) -> list[np.ndarray]:
    """Returns the arrays of a saved layer in the order of `layer.weights`."""
    own = group.get("vars", {})
    arrays = [own[str(index)][()] for index in range(len(own))]
    for key, inner in group.items():
        if key != "vars" and key not in _NOT_WEIGHTS:
            arrays += _arrays(inner)
    return arrays
