"""pillow_file: turns an image of Pillow into a file, which is then read as all files are."""

import io

import numpy as np
from PIL import Image

from efficientmixnet.components.image_example_gen.cmyk import with_true_cmyk
from efficientmixnet.modules.data import exif
from efficientmixnet.modules.exceptions import BadImage
from efficientmixnet.modules.files.stored_file import reason

_IN_PNG = ("1", "L", "LA", "P", "RGB", "RGBA")  # Pillow's modes of 8 bits and fewer
_WITH_ALPHA = {"La": "LA", "PA": "RGBA", "RGBa": "RGBA"}  # other modes, and the one of PNG with the same colors
_LARGEST = 65535
_BITS, _SAMPLE_FORMAT, _UNSIGNED = 258, 339, 1  # tags of TIFF, and a value


def pillow_file(image: Image.Image) -> bytes:
    """Returns the image as a PNG file, or as a TIFF file if it has floats. Its EXIF orientation is kept.

    Args:
        image: An image of any mode, which Pillow has opened or made.

    Raises:
        BadImage: The image is damaged, or has values that no file with its mode has.

    Example:
        >>> pillow_file(Image.open("photo.heic"))[:4]
        b'\\x89PNG'
    """
    file, orientation = io.BytesIO(), Image.Exif()
    try:
        image.load()  # A TIFF file is turned now.
        orientation[exif.TAG] = _orientation(image)
        if image.mode == "F":
            image.save(file, "TIFF", exif=orientation, compression="raw")
        else:
            # The least compression takes a third of the time.
            _with_mode_of_png(image).save(file, "PNG", exif=orientation, icc_profile=None, compress_level=1)
    except (BadImage, MemoryError):
        raise
    except Exception as error:  # Pillow and its plugins raise many kinds
        raise BadImage(f"cannot be read: {reason(error)}") from None
    return file.getvalue()


def _orientation(image: Image.Image) -> int:
    """The number that a file's EXIF has. Pillow's own search looks in XMP too, which browsers and ingest do not."""
    found = image.info.get("exif")
    return exif.orientation(b"", found if isinstance(found, bytes) else None)


def _with_mode_of_png(image: Image.Image) -> Image.Image:
    if image.mode in _IN_PNG:
        return image
    image = with_true_cmyk(image)
    if image.mode.startswith("I"):
        return Image.fromarray(_sixteen_bits(image))
    return image.convert(_WITH_ALPHA.get(image.mode, "RGB"))


def _sixteen_bits(image: Image.Image) -> np.ndarray:
    """The values of an image of integers, uint16 [height, width]. Pillow keeps 16 bits in 32 too."""
    tags = getattr(image, "tag_v2", {})  # of TIFF files alone
    if tags and (tags.get(_BITS), tags.get(_SAMPLE_FORMAT, (_UNSIGNED,))) != ((16,), (_UNSIGNED,)):
        raise BadImage("is a TIFF file of numbers whose range Pillow does not keep; give its path")
    values = np.asarray(image)
    if values.min() < 0 or values.max() > _LARGEST:
        raise BadImage(f"has values from {values.min()} to {values.max()}; with the mode {image.mode}, white is 65535")
    return values.astype(np.uint16)
