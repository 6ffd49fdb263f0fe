"""as_rgb: shows an image of any number of channels in RGB."""

from collections.abc import Sequence

import numpy as np

_DARKEST, _BRIGHTEST = 1, 99  # percentiles of a channel that become black and white


def as_rgb(image: np.ndarray, bands: Sequence[int] | None = None) -> np.ndarray:
    """Returns three channels of an image: [height, width, channels] -> uint8 [height, width, 3].

    Other types than uint8 have no range that suits all data. So each channel is stretched to its own range.

    Args:
        image: uint8, uint16 or float32.
        bands: The channels to show as red, green and blue, from 0; None: the first three, or the first one in gray.
    """
    chosen = list(bands or range(3)) if image.shape[-1] >= 3 else [0, 0, 0]
    picked = image[..., chosen]
    if picked.dtype == np.uint8:
        return np.ascontiguousarray(picked)
    low, high = np.percentile(picked.astype(np.float64), (_DARKEST, _BRIGHTEST), axis=(0, 1))  # [3] each
    stretched = (picked - low) / np.maximum(high - low, np.finfo(np.float32).tiny)
    return np.round(255 * np.clip(stretched, 0, 1)).astype(np.uint8)
