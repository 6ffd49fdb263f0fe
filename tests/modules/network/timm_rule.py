"""The rule by which the weights of the reference follow from their names, so that no weights need to be kept."""

import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np


def reference(name: str) -> dict[str, Any]:
    return json.loads((Path(__file__).parent / "timm_reference" / f"{name}.json").read_text())


def weights_by_rule(shapes: dict[str, list[int]]) -> dict[str, np.ndarray]:
    return {name: _tensor(name, shape) for name, shape in shapes.items()}


def _tensor(name: str, shape: list[int]) -> np.ndarray:
    z = np.random.default_rng(zlib.crc32(name.encode())).standard_normal(shape)
    if name.endswith("running_var"):
        z = 1 + 0.1 * np.abs(z)
    elif name.endswith(("running_mean", "bias")):
        z = 0.1 * z
    elif len(shape) == 1:
        z = 1 + 0.1 * z
    else:
        z = z * np.sqrt(2 / np.prod(shape[1:]))
    return z.astype("float32")


def image(size: int) -> np.ndarray:
    """(1, size, size, 3), the reference's input in Keras's order."""
    return np.random.default_rng(0).standard_normal((1, 3, size, size)).astype("float32").transpose(0, 2, 3, 1)
