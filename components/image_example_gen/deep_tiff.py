"""DeepTiff: a TIFF file with more than 8 bits a channel. Pillow drops the low bits of many, and cannot read others."""

import io
import logging
from typing import Any

import numpy as np

from efficientmixnet.components.image_example_gen.depth import LARGEST, as_16_bits
from efficientmixnet.modules.exceptions import BadImage

MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _CMYK = 0, 1, 2, 5
_COLORS = {_WHITE_IS_ZERO: "L", _BLACK_IS_ZERO: "L", _RGB: "RGB", _CMYK: "CMYK"}
_PREMULTIPLIED, _ALPHA = 1, 2
_COMPRESSIONS = {1, 5, 8, 32773, 32946, 34925, 50000}  # none, LZW, Deflate, PackBits, Deflate, LZMA, Zstandard
_ORIENTATION = 274
_LARGEST_TILE = 2**26  # pixels; a damaged file can name any size


class DeepTiff:
    """The first image of the file.

    Args:
        file: The encoded image.

    Raises:
        BadImage: The header is damaged, or names colors that are not supported.
    """

    format = "TIFF"

    def __init__(self, file: bytes) -> None:
        import tifffile  # takes half a second

        logging.getLogger("tifffile").disabled = True  # it logs each fault besides raising it

        try:
            page: Any = tifffile.TiffFile(io.BytesIO(file)).pages[0]
            self.size = int(page.imagewidth), int(page.imagelength)
            """Width and height as stored, in pixels."""
            self.orientation = int(page.tags.valueof(_ORIENTATION, 1))
            """As in EXIF."""
            self._alpha = next((int(one) for one in page.extrasamples if one in (_PREMULTIPLIED, _ALPHA)), None)
            self._photometric, self._bits = int(page.photometric), int(page.bitspersample)
            places = zip(page.dataoffsets, page.databytecounts, strict=True)
            is_whole = all(offset + count <= len(file) for offset, count in places)
            self._colors = _COLORS.get(self._photometric, "")
            least = len(self._colors) + (self._alpha is not None)
            is_plain = self._colors and least <= int(page.samplesperpixel) <= len(self._colors) + 1
            is_plain = is_plain and int(page.imagedepth) <= 1 and page.dtype is not None and page.dtype.kind in "uif"
            tile = int(page.tilewidth) * int(page.tilelength)
        except Exception as error:  # the package does not say what it raises
            raise BadImage(f"has a broken header ({error})") from None
        if not is_plain:
            raise BadImage(f"has {page.samplesperpixel} channels of {page.dtype}, which are not supported")
        if page.compression not in _COMPRESSIONS:
            raise BadImage(f"has the compression {page.compression}, which is not supported with {page.dtype}")
        if not is_whole or min(self.size) < 1 or tile > _LARGEST_TILE:
            raise _damaged()
        self.mode = f"{self._colors}{'' if self._alpha is None else 'A'};{page.dtype}"
        """The colors and the type of the values, such as RGB;uint16."""
        self._page = page

    def load(self, side: int | None = None) -> None:
        """Decodes the pixels. See PillowImage."""
        self._values()

    def levels(self, side: int | None = None) -> np.ndarray:
        """Decodes the image: uint16 [height, width, 1 to 4], as stored.

        Args:
            side: Has no effect, since a TIFF file is decoded whole.

        Raises:
            BadImage: The file is damaged.
        """
        values = self._values()
        count = len(self._colors)
        colors = as_16_bits(values[..., :count], self._bits)
        if self._alpha is None:
            return self._as_rgb(colors)
        alpha = as_16_bits(values[..., count:], self._bits)
        if self._alpha == _PREMULTIPLIED:
            colors = np.minimum(np.round(colors * (LARGEST / np.maximum(alpha, 1))), LARGEST).astype(np.uint16)
        return np.concatenate([self._as_rgb(colors), alpha], axis=-1)

    def _values(self) -> np.ndarray:
        width, height = self.size
        try:
            values = self._page.asarray()
            values = np.moveaxis(values, 0, -1) if self._page.axes == "SYX" else values
            return values.reshape(height, width, self._page.samplesperpixel)
        except Exception:
            raise _damaged() from None

    def _as_rgb(self, colors: np.ndarray) -> np.ndarray:
        if self._photometric == _WHITE_IS_ZERO:
            return LARGEST - colors
        if self._photometric == _CMYK:
            return np.round((LARGEST - colors[..., :3]) * (1 - colors[..., 3:] / LARGEST)).astype(np.uint16)
        return colors


def _damaged() -> BadImage:
    return BadImage("is a truncated or corrupt TIFF file")
