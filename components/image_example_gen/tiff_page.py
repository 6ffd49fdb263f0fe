"""TiffPage: a page of a TIFF file, read by tifffile."""

import io
import logging
import math
from typing import Any

import numpy as np

from efficientmixnet.components.image_example_gen.damaged import damaged
from efficientmixnet.components.image_example_gen.tiff_lzw import LZW, without_lzw
from efficientmixnet.modules.exceptions import BadImage

MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
MAY_BE_BANDS = (0, 1, 2)
"""The values of PhotometricInterpretation, of gray and RGB, that programs also give to bands."""

_COMPRESSIONS = {1, LZW, 8, 32773, 32946, 34925, 50000}  # none, LZW, Deflate, PackBits, Deflate, LZMA, Zstandard
_ORIENTATION = 274
# Values of PhotometricInterpretation whose samples are neither gray nor red, green and blue, nor bands.
_OTHER_COLORS = {
    **{3: "a palette", 6: "YCbCr", 8: "CIELab", 9: "ICCLab", 10: "ITULab"},
    **{32803: "a raw color filter array", 32844: "LogL", 32845: "LogLuv", 34892: "linear raw colors"},
}
_CMYK = 5
_LARGEST_TILE = 2**26  # pixels; a damaged file can name any size


class TiffPage:
    """An image whose pixels are not decoded yet.

    Args:
        file: The encoded image.
        number: The number of the page, from 0.

    Raises:
        BadImage: The header is damaged, or names values, colors or a compression that are not supported.
    """

    def __init__(self, file: bytes, number: int = 0) -> None:
        try:
            page = _page(file, number)
            self.size = int(page.imagewidth), int(page.imagelength)
            """Width and height as stored, in pixels."""
            self.orientation = int(page.tags.valueof(_ORIENTATION, 1))
            """As in EXIF."""
            self.samples, self.bits = int(page.samplesperpixel), int(page.bitspersample)
            self.photometric, self.extra = int(page.photometric), tuple(int(one) for one in page.extrasamples)
            self.type: np.dtype = page.dtype
            """The type of the values."""
            places = zip(page.dataoffsets, page.databytecounts, strict=True)
            # A hostile file can list more tiles than the image has, each of which takes time to unpack.
            is_whole = len(page.dataoffsets) <= math.prod(page.chunked)
            is_whole &= all(offset + count <= len(file) for offset, count in places)
            is_plain = int(page.imagedepth) <= 1 and page.dtype is not None and page.dtype.kind in "uif"
            tile = int(page.tilewidth) * int(page.tilelength)
        except Exception as error:  # the package does not say what it raises
            raise BadImage(f"has a broken header ({error})") from None
        if self.photometric in _OTHER_COLORS:
            what = f"{_OTHER_COLORS[self.photometric]} of {self.bits} bits"
            raise BadImage(f"has {what}, which is not supported in TIFF files; convert it to RGB")
        if not is_plain:
            raise BadImage(f"has {self.samples} channels of {page.dtype}, which are not supported")
        if page.compression not in _COMPRESSIONS:
            raise BadImage(f"has the compression {page.compression}, which is not supported with {page.dtype}")
        if not is_whole or min(self.size) < 1 or self.samples < 1 or tile > _LARGEST_TILE:
            raise damaged("TIFF")
        self._page, self._file, self._number = page, file, number

    @property
    def bands(self) -> int:
        """The samples of a pixel, except alpha and the black of CMYK."""
        return self.samples - len({1, 2} & set(self.extra)) - (self.photometric == _CMYK)

    def values(self) -> np.ndarray:
        """Decodes the image: [height, width, samples].

        Raises:
            BadImage: The file is damaged.
        """
        width, height = self.size
        try:
            is_lzw = self._page.compression == LZW
            page = _page(without_lzw(self._file, self._number), self._number) if is_lzw else self._page
            values = page.asarray()
            values = np.moveaxis(values, 0, -1) if page.axes == "SYX" else values
            return values.reshape(height, width, self.samples)
        except MemoryError:  # The image may be fine.
            raise
        except Exception:
            raise damaged("TIFF") from None


def _page(file: bytes, number: int) -> Any:
    import tifffile  # takes half a second

    logging.getLogger("tifffile").disabled = True  # it logs each fault besides raising it
    return tifffile.TiffFile(io.BytesIO(file)).pages[number]
