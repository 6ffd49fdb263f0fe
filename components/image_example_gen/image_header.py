"""open_image: opens an image file and checks its header. Every part of the pipeline opens images here."""

import numpy as np
from PIL import Image

from efficientmixnet.components.image_example_gen.deep_tiff import MAGIC, DeepTiff
from efficientmixnet.components.image_example_gen.pillow_image import FORMATS, PillowImage
from efficientmixnet.modules.exceptions import BadImage

__all__ = ["FORMATS", "OpenImage", "open_image"]


class OpenImage:
    """An image whose pixels are not decoded yet.

    Args:
        stored: The image as its file stores it.
    """

    def __init__(self, stored: PillowImage | DeepTiff) -> None:
        self._stored = stored
        self.format = stored.format
        """Pillow's name of the format."""
        self.mode = stored.mode
        """Pillow's name of the colors; for a TIFF file with more than 8 bits, the colors and the type of the values."""
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

        Raises:
            BadImage: The file is damaged.
        """
        return self.turned(self._stored.levels())

    def turned(self, stored: np.ndarray) -> np.ndarray:
        """Turns the pixels as the file stores them upright: [height, width, channels]."""
        return _turned(stored, self._stored.orientation)

    def thumbnail(self, side: int) -> Image.Image:
        """Returns the upright image in RGB, on white, at most `side` pixels wide and high.

        Raises:
            BadImage: The file is damaged.
        """
        levels = self._stored.levels(2 * side)
        if levels.dtype == np.uint16:
            levels = np.round(levels / 257.0).astype(np.uint8)
        image = Image.fromarray(levels[..., 0] if levels.shape[-1] == 1 else levels)
        if image.mode in ("LA", "RGBA"):
            image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
        image = image.convert("RGB")
        image.thumbnail((side, side))
        return Image.fromarray(self.turned(np.asarray(image)))


def open_image(file: bytes, max_pixels: int | None = None) -> OpenImage:
    """Opens an image without decoding its pixels.

    Args:
        file: The encoded image.
        max_pixels: The largest number of pixels; None for no limit.

    Raises:
        BadImage: The file is empty, damaged, too large or not in one of FORMATS.
    """
    if not file:
        raise BadImage("has zero bytes")
    opened = OpenImage(_stored(file))
    if max_pixels is not None and opened.width * opened.height > max_pixels:
        raise BadImage(f"has {opened.width} x {opened.height} pixels, over the limit (data.max_pixels: {max_pixels})")
    return opened


def _stored(file: bytes) -> PillowImage | DeepTiff:
    try:
        image = PillowImage(file)
    except BadImage:
        if not file.startswith(MAGIC):
            raise
        return DeepTiff(file)
    return DeepTiff(file) if image.is_deep_tiff else image


def _turned(image: np.ndarray, orientation: int) -> np.ndarray:
    """Turns an image upright that EXIF stores in one of eight ways: [height, width, ...] -> [..., ..., ...]."""
    image = image.swapaxes(0, 1) if orientation in (5, 6, 7, 8) else image
    image = image[:, ::-1] if orientation in (2, 3, 6, 7) else image
    image = image[::-1] if orientation in (3, 4, 7, 8) else image
    return np.ascontiguousarray(image)
