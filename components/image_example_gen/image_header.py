"""open_image: opens an image file and checks its header. Every part of the pipeline opens images here."""

from collections.abc import Sequence
from contextlib import suppress

import numpy as np
from PIL import Image

from efficientmixnet.components.image_example_gen.array_file import ArrayFile, is_array
from efficientmixnet.components.image_example_gen.band_tiff import BandTiff
from efficientmixnet.components.image_example_gen.deep_tiff import DeepTiff
from efficientmixnet.components.image_example_gen.entry import MAX_IMAGE_BYTES
from efficientmixnet.components.image_example_gen.pillow_image import FORMATS, PillowImage
from efficientmixnet.components.image_example_gen.tiff_page import MAGIC, MAY_BE_BANDS, TiffPage
from efficientmixnet.components.image_example_gen.tiff_subfiles import full_page
from efficientmixnet.modules.data.shown import as_rgb
from efficientmixnet.modules.exceptions import BadImage

Stored = PillowImage | DeepTiff | BandTiff | ArrayFile

_PHOTOGRAPHS = (1, 3)  # the numbers of channels of images that are not arrays
_FLOATS = "L;float32"  # the mode of gray TIFF files that are arrays if one channel is asked for

__all__ = ["FORMATS", "OpenImage", "open_image"]


class OpenImage:
    """An image whose pixels are not decoded yet.

    Args:
        stored: The image as its file stores it.
    """

    def __init__(self, stored: Stored) -> None:
        self._stored = stored
        self.is_array = stored.is_array
        """Whether the values are kept as they are, of any number of channels: an .npy or .npz file, or bands."""
        self.is_deep = isinstance(stored, DeepTiff) or stored.mode.startswith(("I", "F"))
        """Whether Pillow or tifffile gives it more than 8 bits a channel, and it is not an array."""
        self.channels = stored.channels
        """The number of channels without alpha."""
        self.format = stored.format
        """Pillow's name of the format, or NPY or NPZ."""
        self.mode = stored.mode
        """Pillow's name of the colors; for a TIFF file with more than 8 bits, the colors and the type of the values,
        and for an array the number of channels and the type."""
        self.size = stored.size[::-1] if stored.orientation in (5, 6, 7, 8) else stored.size
        """Width and height of the upright image, in pixels."""
        self.width, self.height = self.size

    def check(self, side: int | None = None) -> None:
        """Decodes the pixels.

        Args:
            side: If given, a JPEG file is decoded at a smaller size, with sides of at least this many pixels.

        Raises:
            BadImage: The file is damaged.
        """
        self._stored.load(side)

    def levels(self) -> np.ndarray:
        """Decodes the image: upright, [height, width, 1 to 4], uint16 if it has more than 8 bits, else uint8.

        An array has its own number of channels, and can have float32.

        Raises:
            BadImage: The file is damaged.
        """
        return self.turned(self._stored.levels())

    def turned(self, stored: np.ndarray) -> np.ndarray:
        """Turns the pixels as the file stores them upright: [height, width, channels]."""
        return _turned(stored, self._stored.orientation)

    def thumbnail(self, side: int, bands: Sequence[int] | None = None) -> Image.Image:
        """Returns the upright image in RGB, on white, at most `side` pixels wide and high.

        Args:
            side: In pixels.
            bands: The channels of an array to show; see as_rgb.

        Raises:
            BadImage: The file is damaged.
        """
        levels = self._stored.levels(2 * side)
        if self.is_array:
            step = max(1, min(levels.shape[:2]) // (2 * side))
            levels = as_rgb(levels[::step, ::step], bands)
        elif levels.dtype == np.uint16:
            levels = np.round(levels / 257.0).astype(np.uint8)
        image = Image.fromarray(levels[..., 0] if levels.shape[-1] == 1 else levels)
        if image.mode in ("LA", "RGBA"):
            image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
        image = image.convert("RGB")
        image.thumbnail((side, side))
        return Image.fromarray(self.turned(np.asarray(image)))


def open_image(
    file: bytes, max_pixels: int | None = None, channels: int | None = 3, max_bytes: int = MAX_IMAGE_BYTES
) -> OpenImage:
    """Opens an image without decoding its pixels.

    Args:
        file: The encoded image.
        max_pixels: The largest number of pixels; None for no limit.
        channels: The number of channels that the image must have; None for any. Gray photographs fit 3 too.
        max_bytes: The largest size of the values of an array.

    Raises:
        BadImage: The file is empty, damaged, too large, not in one of FORMATS, or has another number of channels.
    """
    if not file:
        raise BadImage("has zero bytes")
    opened = OpenImage(_stored(file, channels, max_bytes))
    is_gray = opened.channels == 1 and not opened.is_array
    if channels not in (None, opened.channels) and not (channels == 3 and is_gray):
        raise BadImage(f"has {_in_words(opened.channels)}, not {channels}", f"data.channels: {channels}")
    if max_pixels is not None and opened.width * opened.height > max_pixels:
        raise BadImage(
            f"has {opened.width} x {opened.height} pixels, over the limit",
            f"data.max_pixels: {max_pixels}",
            f" of {max_pixels:,}; make it smaller",
        )
    return opened


def _in_words(channels: int) -> str:
    return "1 channel" if channels == 1 else f"{channels} channels"


def _stored(file: bytes, channels: int | None, max_bytes: int) -> Stored:
    if is_array(file):
        return ArrayFile(file, max_bytes)
    if not file.startswith(MAGIC):
        return PillowImage(file)
    return _stored_tiff(file, channels, max_bytes)


def _stored_tiff(file: bytes, channels: int | None, max_bytes: int) -> Stored:
    number = full_page(file)
    if channels not in (None, *_PHOTOGRAPHS):
        return BandTiff(TiffPage(file, number), max_bytes)
    with suppress(BadImage):
        image = PillowImage(file, number)
        if not image.is_deep_tiff and _is_photograph(image.channels, image.bands, channels):
            return image
    page = TiffPage(file, number)
    try:
        deep = DeepTiff(page)
    except BadImage:
        if channels in _PHOTOGRAPHS and page.photometric not in MAY_BE_BANDS:
            raise
        return BandTiff(page, max_bytes)
    is_array = channels == 1 and deep.mode == _FLOATS
    return deep if _is_photograph(deep.channels, page.bands, channels) and not is_array else BandTiff(page, max_bytes)


def _is_photograph(colors: int, bands: int, channels: int | None) -> bool:
    """Returns whether a TIFF file has no bands besides its colors. RGB may have one, which is not used."""
    return bands <= colors + (channels == colors == 3)


def _turned(image: np.ndarray, orientation: int) -> np.ndarray:
    """Turns an image upright that EXIF stores in one of eight ways: [height, width, ...] -> [..., ..., ...]."""
    image = image.swapaxes(0, 1) if orientation in (5, 6, 7, 8) else image
    image = image[:, ::-1] if orientation in (2, 3, 6, 7) else image
    image = image[::-1] if orientation in (3, 4, 7, 8) else image
    return np.ascontiguousarray(image)
