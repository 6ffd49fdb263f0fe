"""with_true_cmyk: the colors of a JPEG file in CMYK, as TensorFlow reads them."""

from PIL import Image, ImageChops


def with_true_cmyk(image: Image.Image) -> Image.Image:
    """Returns the image as it is, or with the right colors if it is a JPEG file in CMYK that Adobe did not write.

    Adobe's programs store these colors inverted, and mark the file. Pillow inverts them without the mark too.

    Args:
        image: An image that Pillow has opened and decoded.
    """
    is_inverted = image.mode == "CMYK" and image.format in ("JPEG", "MPO") and "adobe" not in image.info
    return ImageChops.invert(image) if is_inverted else image
