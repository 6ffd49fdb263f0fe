"""BandTiff: a TIFF file whose samples are bands, as stored, and not the colors of a photograph."""

import numpy as np

from efficientmixnet.components.image_example_gen.array_file import TYPES, check_sides, checked, in_words, too_large
from efficientmixnet.components.image_example_gen.entry import MAX_IMAGE_BYTES
from efficientmixnet.components.image_example_gen.tiff_page import TiffPage
from efficientmixnet.modules.exceptions import BadImage


class BandTiff:
    """The image of the file, chunky or planar.

    Args:
        page: The image.
        max_bytes: The largest size of the values.

    Raises:
        BadImage: The values are too large, or not of TYPES.
    """

    format = "TIFF"
    is_array = True

    def __init__(self, page: TiffPage, max_bytes: int = MAX_IMAGE_BYTES) -> None:
        self._page = page
        self.channels, self.size, self.orientation = page.samples, page.size, page.orientation
        self.mode = f"{page.samples};{page.type}"
        """The number of bands and the type of the values, such as 5;uint16."""
        if page.type.name not in TYPES or page.bits != 8 * page.type.itemsize:
            raise BadImage(f"has {page.samples} channels of {page.bits} bits ({page.type}); supported are {in_words()}")
        check_sides(*page.size, page.samples)
        size = page.size[0] * page.size[1] * page.samples * page.type.itemsize
        if size > max_bytes:
            raise too_large(size, max_bytes)

    def load(self, side: int | None = None) -> None:
        """Decodes the pixels. See PillowImage."""
        self.levels()

    def levels(self, side: int | None = None) -> np.ndarray:
        """Decodes the image: [height, width, channels] of TYPES, as stored.

        Args:
            side: Has no effect, since a TIFF file is decoded whole.

        Raises:
            BadImage: The file is damaged, or has values that are not finite.
        """
        return checked(self._page.values())
