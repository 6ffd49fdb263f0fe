"""TIFF files with odd strips, samples or too little memory to read them."""

import io
import struct
from typing import Any

import numpy as np
import pytest
import tifffile

from efficientmixnet.components.image_example_gen.image_header import open_image
from efficientmixnet.components.image_example_gen.pillow_image import PillowImage
from efficientmixnet.components.image_example_gen.tiff_page import TiffPage
from efficientmixnet.modules.exceptions import BadImage


def _tiff(values: np.ndarray, **options: Any) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, values, **options)
    return file.getvalue()


def _gray_with_strips(strips: int, side: int = 40) -> bytes:
    """Returns a gray image of one strip that lists this many, each of which begins at the next byte."""
    header = 8 + side**2
    lists = struct.pack(f"<{strips}I", *range(8, 8 + strips)) + struct.pack(f"<{strips}I", *[side**2] * strips)
    directory = header + len(lists)
    tags = [(256, side), (257, side), (258, 8), (259, 1), (262, 1), (277, 1), (278, side)]
    entries = [struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags]
    entries.insert(5, struct.pack("<HHII", 273, 4, strips, header if strips > 1 else 8))
    entries.append(struct.pack("<HHII", 279, 4, strips, header + 4 * strips if strips > 1 else side**2))
    pixels = bytes(range(side)) * side
    return (
        struct.pack("<2sHI", b"II", 42, directory)
        + pixels
        + lists
        + struct.pack("<H", len(entries))
        + b"".join(entries)
        + bytes(4)
    )


def test_an_image_of_one_strip_is_read() -> None:
    np.testing.assert_array_equal(open_image(_gray_with_strips(1)).levels()[..., 0], [range(40)] * 40)


def test_strips_that_the_image_does_not_have_are_not_decoded() -> None:
    """Pillow would need hours for them. tifffile ignores them."""
    file = _gray_with_strips(5000)
    with pytest.raises(BadImage, match="too many strips or tiles"):
        PillowImage(file)
    np.testing.assert_array_equal(open_image(file).levels()[..., 0] // 257, [range(40)] * 40)


@pytest.mark.parametrize("options", [{"rowsperstrip": 7}, {"tile": (16, 16)}, {"planarconfig": "separate"}])
def test_images_of_many_strips_tiles_and_planes_are_read(options: dict[str, Any]) -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    stored = np.moveaxis(rgb, -1, 0).copy() if "planarconfig" in options else rgb
    np.testing.assert_array_equal(open_image(_tiff(stored, photometric="rgb", **options)).levels(), rgb)


def test_strips_of_a_turned_image_are_read() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (50, 20, 3), dtype=np.uint8)
    file = _tiff(rgb, photometric="rgb", rowsperstrip=1, extratags=[(274, "H", 1, 6, True)])
    np.testing.assert_array_equal(open_image(file).levels(), np.rot90(rgb, -1))


def test_a_fourth_sample_of_unknown_meaning_is_no_alpha() -> None:
    bands = np.tile(np.array([100, 50, 25, 128], np.uint8), (6, 5, 1))
    named = _tiff(bands, photometric="rgb", extrasamples=["unspecified"])
    unnamed = named.replace(struct.pack("<HHI", 338, 3, 1), struct.pack("<HHI", 65000, 3, 1))
    assert named != unnamed
    for file in (named, unnamed):
        np.testing.assert_array_equal(open_image(file).levels(), bands[..., :3])
    apart = _tiff(bands, photometric="rgb", extrasamples=["unassalpha"])
    np.testing.assert_array_equal(open_image(apart).levels(), bands)


def test_an_image_that_does_not_fit_into_memory_is_not_called_damaged(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise MemoryError

    gray, deep = _tiff(np.zeros((9, 9), np.uint8)), _tiff(np.zeros((9, 9), np.uint16))
    small, page = PillowImage(gray), TiffPage(deep)
    monkeypatch.setattr(type(small._image), "load", full)
    monkeypatch.setattr(type(page._page), "asarray", full)
    with pytest.raises(MemoryError):
        small.load()
    with pytest.raises(MemoryError):
        page.values()
