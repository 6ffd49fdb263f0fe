"""read_arrays: the weights in a file that Keras saved, by layer name. Nothing in the file is built or run."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

_NOT_WEIGHTS = ("seed_generator",)


def read_arrays(path: Path) -> dict[str, list[np.ndarray]]:
    """Reads a .keras, .weights.h5 or .h5 file.

    Returns:
        The arrays of each layer that has weights, in the order of `layer.weights`.

    Raises:
        ValueError: The file does not exist, or holds no weights.
    """
    import h5py  # Keras's own dependency, needed only here

    if not path.is_file():
        raise ValueError(f"weights {str(path)!r}: there is no such file")
    try:
        with h5py.File(_unpacked(path) if path.suffix == ".keras" else path) as file:
            named = _of_keras_3(file["layers"]) if "layers" in file else _of_keras_2(file.get("model_weights", file))
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise ValueError(f"weights {str(path)!r}: this is not a file of Keras weights, or it is damaged") from error
    if arrays := {name: values for name, values in named.items() if values}:
        return arrays
    raise ValueError(f"weights {str(path)!r}: the file has no layers with weights")


def read_layers(path: Path) -> dict[str, dict[str, Any]]:
    """Reads the class and the configuration of each layer, by its name.

    Args:
        path: A file that `read_arrays` can read.

    Returns:
        Nothing if the file does not record them, as a .weights.h5 file, or if they are damaged.
    """
    try:
        layers = json.loads(read_configuration(path) or "")["config"]["layers"]
        return {str(each["config"]["name"]): {"class_name": each["class_name"], **each["config"]} for each in layers}
    except (LookupError, TypeError, ValueError, RecursionError, OSError, zipfile.BadZipFile):
        return {}


def read_configuration(path: Path) -> str | bytes | None:
    """Reads the model's configuration, which is JSON. None: the file has none.

    Raises:
        KeyError: A .keras file has none.
        zipfile.BadZipFile: A .keras file is not a zip archive.
        OSError: The file cannot be read.
    """
    import h5py

    if path.suffix == ".keras":
        with zipfile.ZipFile(path) as archive:
            return archive.read("config.json")
    with h5py.File(path) as file:
        return file.attrs.get("model_config")


def _unpacked(path: Path) -> io.BytesIO:
    with zipfile.ZipFile(path) as archive:
        return io.BytesIO(archive.read("model.weights.h5"))


def _of_keras_2(root: Any) -> dict[str, list[np.ndarray]]:
    return {name: [group[weight][()] for weight in group.attrs.get("weight_names", ())] for name, group in root.items()}


def _of_keras_3(layers: Any) -> dict[str, list[np.ndarray]]:
    groups = [group for group in layers.values() if "vars" in group]
    return {group["vars"].attrs.get("name", ""): _own_and_inner(group) for group in groups}


def _own_and_inner(group: Any) -> list[np.ndarray]:
    own = group.get("vars", {})
    arrays = [own[str(index)][()] for index in range(len(own))]
    for key, inner in group.items():
        if key != "vars" and key not in _NOT_WEIGHTS:
            arrays += _own_and_inner(inner)
    return arrays
