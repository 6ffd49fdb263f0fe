"""DeepTiff: a TIFF file with more than 8 bits a channel. Pillow drops the low bits of many, and cannot read others."""

import numpy as np

from efficientmixnet.components.image_example_gen.depth import LARGEST, as_16_bits
from efficientmixnet.components.image_example_gen.tiff_page import TiffPage
from efficientmixnet.modules.exceptions import BadImage

_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _CMYK = 0, 1, 2, 5
_COLORS = {_WHITE_IS_ZERO: "L", _BLACK_IS_ZERO: "L", _RGB: "RGB", _CMYK: "CMYK"}
_PREMULTIPLIED, _ALPHA = 1, 2


class DeepTiff:
    """The image of the file.

    Args:
        page: The image.

    Raises:
        BadImage: The colors are not supported.
    """

    format = "TIFF"
    is_array = False

    def __init__(self, page: TiffPage) -> None:
        self._page, self._bits = page, page.bits
        self.size, self.orientation = page.size, page.orientation
        self._alpha = next((one for one in page.extra if one in (_PREMULTIPLIED, _ALPHA)), None)
        self._photometric = page.photometric
        self._colors = _COLORS.get(self._photometric, "")
        least = len(self._colors) + (self._alpha is not None)
        if not self._colors or not least <= page.samples <= len(self._colors) + 1:
            raise BadImage(f"has {page.samples} channels of {page.type}, which are not supported")
        self.channels = 1 if self._colors == "L" else 3
        """The channels of the colors."""
        self.mode = f"{self._colors}{'' if self._alpha is None else 'A'};{page.type}"
        """The colors and the type of the values, such as RGB;uint16."""

    def load(self, side: int | None = None) -> None:
        """Decodes the pixels. See PillowImage."""
        self._page.values()

    def levels(self, side: int | None = None) -> np.ndarray:
        """Decodes the image: uint16 [height, width, 1 to 4], as stored.

        Args:
            side: Has no effect, since a TIFF file is decoded whole.

        Raises:
            BadImage: The file is damaged.
        """
        values = self._page.values()
        count = len(self._colors)
        colors = as_16_bits(values[..., :count], self._bits)
        if self._alpha is None:
            return self._as_rgb(colors)
        alpha = as_16_bits(values[..., count:], self._bits)
        if self._alpha == _PREMULTIPLIED:
            colors = np.minimum(np.round(colors * (LARGEST / np.maximum(alpha, 1))), LARGEST).astype(np.uint16)
        return np.concatenate([self._as_rgb(colors), alpha], axis=-1)

    def _as_rgb(self, colors: np.ndarray) -> np.ndarray:
        if self._photometric == _WHITE_IS_ZERO:
            return LARGEST - colors
        if self._photometric == _CMYK:
            return np.round((LARGEST - colors[..., :3]) * (1 - colors[..., 3:] / LARGEST)).astype(np.uint16)
        return colors
