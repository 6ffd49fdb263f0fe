"""canonical: turns an image file of any format into a JPEG, PNG or .npy file, without importing TensorFlow."""

import io

import numpy as np
from PIL import Image

from efficientmixnet.components.image_example_gen.array_file import as_npy
from efficientmixnet.components.image_example_gen.entry import MAX_IMAGE_BYTES
from efficientmixnet.components.image_example_gen.image_header import OpenImage, open_image

# Other formats are converted to PNG, since TensorFlow supports fewer of their variants than Pillow.
KEPT = ("JPEG", "PNG")


def canonical(
    encoded: bytes, max_pixels: int, channels: int = 3, max_bytes: int = MAX_IMAGE_BYTES
) -> tuple[bytes, OpenImage]:
    """Returns the image as a JPEG, PNG or .npy file, which records and models take. JPEG and PNG stay as they are.

    Args:
        encoded: The image in any supported format.
        max_pixels: The largest number of pixels.
        channels: The number of channels that the image must have.
        max_bytes: The largest size of the values of an array.

    Returns:
        The JPEG or PNG file, or the array as an .npy file, and the original file's header.

    Raises:
        BadImage: The file is not an image, is damaged, has too many pixels, or another number of channels.
    """
    header = open_image(encoded, max_pixels, channels, max_bytes)
    if header.is_array:
        return as_npy(header.levels()), header
    return (encoded if header.format in KEPT else _as_png(header.levels())), header


def _as_png(levels: np.ndarray) -> bytes:
    """[height, width, 1 to 4] -> a PNG file with as many bits."""
    if levels.dtype == np.uint16:
        import tensorflow as tf  # Pillow writes no colors with 16 bits.

        return bytes(tf.io.encode_png(levels).numpy())
    png = io.BytesIO()
    Image.fromarray(levels[..., 0] if levels.shape[-1] == 1 else levels).save(png, "PNG")  # faster than TensorFlow
    return png.getvalue()
