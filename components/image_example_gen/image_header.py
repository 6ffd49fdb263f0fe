"""open_image: opens an image file and checks its header. Every part of the pipeline opens images here."""

import io
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError

from efficientmixnet.modules.exceptions import BadImage

FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF")
DECODING_ERRORS = (OSError, ValueError, SyntaxError)
"""What Pillow raises for a damaged file."""

Image.MAX_IMAGE_PIXELS = None  # the configuration has its own limit, data.max_pixels


def open_image(file: bytes | BinaryIO, max_pixels: int | None = None) -> Image.Image:
    """Opens an image without decoding its pixels.

    Args:
        file: The encoded image, or an open file.
        max_pixels: The largest number of pixels; None for no limit.

    Returns:
        Pillow's image, with its size, format and mode.

    Raises:
        BadImage: The file is empty, damaged, too large or not in one of FORMATS.
    """
    if file == b"":
        raise BadImage("has zero bytes")
    try:
        image = Image.open(io.BytesIO(file) if isinstance(file, bytes) else file, formats=FORMATS)
    except UnidentifiedImageError:
        raise BadImage("is not an image in a supported format") from None
    except DECODING_ERRORS as error:
        raise BadImage(f"has a broken header ({error})") from None
    if max_pixels is not None and image.width * image.height > max_pixels:
        raise BadImage(f"has {image.width} x {image.height} pixels, over the limit (data.max_pixels: {max_pixels})")
    return image


def damaged(image: Image.Image) -> BadImage:
    """Returns the exception for an image whose pixels cannot be decoded."""
    return BadImage(f"is a truncated or corrupt {image.format} file")
