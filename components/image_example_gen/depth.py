"""as_16_bits: scales the values of an image to 16 bits, by the range of their type."""

import numpy as np

LARGEST = 65535


def as_16_bits(values: np.ndarray, bits: int | None = None) -> np.ndarray:
    """Returns the values as uint16.

    Black and white are the smallest and the largest number of an integer type, and 0 and 1 in floats. If the floats
    are not within 0 and 1, black and white are the smallest and the largest of the image. NaN is black.

    Args:
        values: Integers or floats.
        bits: The bits of an integer that are used; None for all bits of the type.
    """
    if values.dtype.kind == "f":
        return _floats(values)
    bits = bits or 8 * values.dtype.itemsize
    if (values.dtype.kind, bits) == ("u", 16):
        return values.astype(np.uint16)
    lowest = -(2 ** (bits - 1)) if values.dtype.kind == "i" else 0
    return _rounded((values.astype(np.float64) - lowest) / (2**bits - 1))


def _floats(values: np.ndarray) -> np.ndarray:
    finite = values[np.isfinite(values)].astype(np.float64)
    low, high = (finite.min(), finite.max()) if finite.size else (0.0, 1.0)
    if low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    # Halves, because the difference of the largest floats is infinite.
    fractions = (values.astype(np.float64) / 2 - low / 2) / max(high / 2 - low / 2, np.finfo(np.float64).tiny)
    return _rounded(np.nan_to_num(fractions, nan=0.0, posinf=1.0, neginf=0.0))


def _rounded(fractions: np.ndarray) -> np.ndarray:
    return np.round(np.clip(fractions, 0.0, 1.0) * LARGEST).astype(np.uint16)
