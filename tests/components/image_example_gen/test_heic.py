"""HEIC files are turned by EXIF if the container does not turn them, and not by XMP, as in browsers."""

import io

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from efficientmixnet.components.image_example_gen.image_header import open_image

XMP = '<x:xmpmeta xmlns:x="adobe:ns:meta/" tiff:Orientation="{}"/>'


def _corners(image: np.ndarray) -> list[bool]:
    """Returns whether the corners are bright: top left, top right, bottom left, bottom right."""
    return [bool(image[row, column, 0] > 127) for row in (4, -4) for column in (4, -4)]


@pytest.mark.parametrize(
    ("in_exif", "size", "corners"),
    [
        (None, (64, 32), [True, False, False, False]),
        (1, (64, 32), [True, False, False, False]),
        (8, (32, 64), [False, False, True, False]),  # a quarter turn to the left
    ],
)
def test_an_orientation_in_xmp_is_ignored(in_exif: int | None, size: tuple[int, int], corners: list[bool]) -> None:
    pillow_heif.register_heif_opener()
    pixels = np.zeros((32, 64, 3), np.uint8)
    pixels[:16, :32] = 255
    exif, stored = Image.Exif(), io.BytesIO()
    exif.update({} if in_exif is None else {0x112: in_exif})
    Image.fromarray(pixels).save(stored, "HEIF", exif=exif, xmp=XMP.format(1).encode())
    file = stored.getvalue().replace(XMP.format(1).encode(), XMP.format(6).encode())
    assert b"irot" not in file  # The encoder would add it for another orientation than 1 in XMP.
    assert XMP.format(6).encode() in file
    image = open_image(file)
    assert (image.size, _corners(image.levels())) == (size, corners)
