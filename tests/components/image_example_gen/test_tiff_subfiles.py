"""The page of a TIFF file that is its image: no thumbnail and no mask, in both readers."""

import io
from typing import Any

import numpy as np
import pytest
import tifffile

from efficientmixnet.components.image_example_gen.canonical import canonical
from efficientmixnet.components.image_example_gen.entry import LeftOut
from efficientmixnet.components.image_example_gen.image_header import open_image
from efficientmixnet.modules.exceptions import BadImage

THUMBNAIL = np.full((4, 5, 3), 7, np.uint8)
IMAGE = np.random.default_rng(0).integers(0, 256, (16, 24, 3), dtype=np.uint8)
RGB = {"photometric": "rgb"}
REDUCED = {**RGB, "subfiletype": 1}
DNG = (50706, "B", 4, (1, 4, 0, 0), True)


def _tiff(*pages: tuple[np.ndarray, dict[str, Any]], **options: Any) -> bytes:
    file = io.BytesIO()
    with tifffile.TiffWriter(file, **options) as writer:
        for values, tags in pages:
            writer.write(values, **tags)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["uint8", "uint16"])  # read by Pillow and by tifffile
@pytest.mark.parametrize("options", [{}, {"byteorder": ">"}, {"bigtiff": True}])
def test_a_thumbnail_before_the_image_is_not_read(kind: str, options: dict[str, Any]) -> None:
    image = IMAGE.astype(kind)
    file = _tiff((THUMBNAIL, REDUCED), (image, {**RGB, "extratags": [(274, "H", 1, 6, True)]}), **options)
    opened = open_image(file)
    assert opened.size == (16, 24)
    np.testing.assert_array_equal(opened.levels(), np.rot90(image, -1))
    assert canonical(file, 10**6)[1].size == (16, 24)


def test_bands_are_read_from_the_same_page() -> None:
    bands = np.dstack([IMAGE, IMAGE])
    file = _tiff((THUMBNAIL, REDUCED), (bands, {"photometric": "minisblack", "planarconfig": "contig"}))
    np.testing.assert_array_equal(open_image(file, channels=6).levels(), bands)


@pytest.mark.parametrize("tag", [(254, 4), (255, 2)])  # a mask, and the older tag of a thumbnail
def test_other_pages_before_the_image_are_not_read(tag: tuple[int, int]) -> None:
    file = bytearray(_tiff((THUMBNAIL, REDUCED), (IMAGE, RGB)))
    place = file.index(bytes([254, 0, 4, 0, 1, 0, 0, 0, 1, 0, 0, 0]))
    file[place], file[place + 8] = tag
    assert open_image(bytes(file)).size == (24, 16)


def test_the_only_image_counts_if_it_is_marked_as_reduced() -> None:
    assert open_image(_tiff((IMAGE, REDUCED))).size == (24, 16)


def test_a_raw_photograph_with_only_a_thumbnail_is_left_out_and_counts() -> None:
    below = _tiff((THUMBNAIL, {**REDUCED, "subifds": 1}), (IMAGE[..., 0], {"photometric": "cfa"}))
    for file in (_tiff((THUMBNAIL, {**REDUCED, "extratags": [DNG]})), below):
        with pytest.raises(BadImage, match="is a raw photograph with only thumbnails on its pages") as raised:
            open_image(file)
        assert LeftOut.because("1.dng", raised.value, file).counts


def test_a_raw_page_behind_a_thumbnail_is_refused() -> None:
    file = _tiff((THUMBNAIL, {**REDUCED, "extratags": [DNG]}), (IMAGE[..., 0], {"photometric": "cfa"}))
    for channels in (1, 3, None):
        with pytest.raises(BadImage, match="has a raw color filter array of 8 bits"):
            open_image(file, channels=channels)


def test_a_dng_file_with_a_whole_page_in_rgb_is_read() -> None:
    file = _tiff((IMAGE, {**RGB, "extratags": [DNG]}))
    np.testing.assert_array_equal(open_image(file).levels(), IMAGE)


def test_pages_without_end_are_not_followed() -> None:
    file = bytearray(_tiff((THUMBNAIL, REDUCED)))
    first = int.from_bytes(file[4:8], "little")
    end = first + 2 + 12 * int.from_bytes(file[first : first + 2], "little")
    file[end : end + 4] = file[4:8]
    assert open_image(bytes(file)).size == (5, 4)
