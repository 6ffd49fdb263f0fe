"""read_tensors: the tensors in a safetensors file, by name."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

# The types of safetensors, as NumPy or ml_dtypes calls them.
_TYPES = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
    "I64": "int64",
    "I32": "int32",
}


def read_tensors(path: str | Path) -> Mapping[str, np.ndarray]:
    """Reads a safetensors file. Types that NumPy does not have become float32.

    Raises:
        ValueError: The file does not exist, is damaged, or has tensors of another type.
        ImportError: safetensors is not installed.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"weights {str(path)!r}: there is no such file")
    try:
        from safetensors import SafetensorError, deserialize
    except ImportError as error:
        raise ImportError(f"weights {str(path)!r}: reading them needs safetensors; pip install safetensors") from error
    try:
        tensors = deserialize(path.read_bytes())
    except SafetensorError as error:
        raise ValueError(f"weights {str(path)!r}: this is not a safetensors file, or it is damaged") from error
    for name, each in tensors:
        if each["dtype"] not in _TYPES:
            raise ValueError(f"weights {str(path)!r}: {name!r} is of type {each['dtype']}; save the weights as float32")
    return {name: _array(each["data"], each["dtype"], each["shape"]) for name, each in tensors}


def _array(data: bytes, kind: str, shape: list[int]) -> np.ndarray:
    name = _TYPES[kind]
    if not hasattr(np, name):
        import ml_dtypes  # Keras's own dependency, needed only here

        return np.frombuffer(data, getattr(ml_dtypes, name)).astype("float32").reshape(shape)
    return np.frombuffer(data, name).reshape(shape)
