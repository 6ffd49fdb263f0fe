"""canonical: turns an image file of any supported format into a JPEG or PNG file, without importing TensorFlow."""

import io

import numpy as np
from PIL import Image

from efficientmixnet.components.image_example_gen.image_header import OpenImage, open_image

# Other formats are converted to PNG, since TensorFlow supports fewer of their variants than Pillow.
_KEPT = ("JPEG", "PNG")


def canonical(encoded: bytes, max_pixels: int) -> tuple[bytes, OpenImage]:
    """Returns the image as a JPEG or PNG file, which records and models take. These two stay as they are.

    Args:
        encoded: The image in any supported format.
        max_pixels: The largest number of pixels.

    Returns:
        The JPEG or PNG file, and the original file's header.

    Raises:
        BadImage: The file is not an image, is damaged, or has too many pixels.
    """
    header = open_image(encoded, max_pixels)
    return (encoded if header.format in _KEPT else _as_png(header.levels())), header


def _as_png(levels: np.ndarray) -> bytes:
    """[height, width, 1 to 4] -> a PNG file with as many bits."""
    if levels.dtype == np.uint16:
        import tensorflow as tf  # Pillow writes no colors with 16 bits.

        return bytes(tf.io.encode_png(levels).numpy())
    png = io.BytesIO()
    Image.fromarray(levels).save(png, "PNG")  # faster than TensorFlow
    return png.getvalue()
