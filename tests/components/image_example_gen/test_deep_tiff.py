"""TIFF files with more than 8 bits a channel keep their precision, or are refused with a reason."""

import io
import struct
from typing import Any

import numpy as np
import pytest
import tifffile

from efficientmixnet.components.image_example_gen.image_header import open_image
from efficientmixnet.modules.exceptions import BadImage

RGB = np.random.default_rng(0).integers(0, 65536, (7, 11, 3), dtype=np.uint16)


def _tiff(values: np.ndarray, **options: Any) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, values, **options)
    return file.getvalue()


def _photometric(kind: int) -> bytes:
    """Returns the tag of the colors, as tifffile writes it."""
    return struct.pack("<HHIH", 262, 3, 1, kind)


@pytest.mark.parametrize("compression", [None, "lzw", "zlib", "packbits", "zstd"])
@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_rgb_of_16_bits_keeps_every_level(compression: str | None, byteorder: str) -> None:
    file = _tiff(RGB, photometric="rgb", compression=compression, byteorder=byteorder)
    opened = open_image(file)
    assert (opened.format, opened.size) == ("TIFF", (11, 7))
    np.testing.assert_array_equal(opened.levels(), RGB)


def test_channels_and_tiles_can_be_stored_apart() -> None:
    planes = _tiff(np.moveaxis(RGB, -1, 0).copy(), photometric="rgb", planarconfig="separate")
    tiles = _tiff(RGB, photometric="rgb", tile=(16, 16))
    for file in (planes, tiles):
        np.testing.assert_array_equal(open_image(file).levels(), RGB)


def test_gray_of_every_type_is_read() -> None:
    for values in (RGB[..., 0], RGB[..., 0].astype(np.uint32) * 65537, RGB[..., 0] / 65535):
        np.testing.assert_array_equal(open_image(_tiff(values)).levels(), RGB[..., :1])


def test_white_can_be_zero() -> None:
    file = _tiff(RGB[..., 0], photometric="miniswhite")
    np.testing.assert_array_equal(open_image(file).levels(), 65535 - RGB[..., :1])


def test_the_orientation_counts() -> None:
    opened = open_image(_tiff(RGB, photometric="rgb", extratags=[(274, "H", 1, 6, True)]))
    assert opened.size == (7, 11)
    np.testing.assert_array_equal(opened.levels(), np.rot90(RGB, -1))


def test_alpha_is_kept_and_colors_are_divided_by_it_if_they_are_multiplied() -> None:
    rgba = np.array([[[100, 200, 300, 65535], [1000, 2000, 3000, 32768]]], np.uint16)
    apart = open_image(_tiff(rgba, photometric="rgb", extrasamples=["unassalpha"])).levels()
    np.testing.assert_array_equal(apart, rgba)
    multiplied = open_image(_tiff(rgba, photometric="rgb", extrasamples=["assocalpha"])).levels()
    np.testing.assert_array_equal(multiplied, [[[100, 200, 300, 65535], [2000, 4000, 6000, 32768]]])


def test_a_thumbnail_has_8_bits_of_the_right_brightness() -> None:
    thumbnail = open_image(_tiff(np.full((20, 30), 0x8080, np.uint16))).thumbnail(10)
    assert thumbnail.mode == "RGB"
    assert set(thumbnail.tobytes()) == {0x80}


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        (
            _tiff(np.zeros((4, 4, 5), np.uint16), photometric="minisblack", planarconfig="contig"),
            "has 5 channels, not 3",
        ),
        (_tiff(np.zeros((4, 4), np.complex64)), "has 1 channels of complex64, which are not supported"),
        (
            _tiff(RGB, photometric="rgb", compression="jpeg2000"),
            "has the compression .*, which is not supported with uint16",
        ),
        (_tiff(RGB, photometric="rgb")[:-50], "is a truncated or corrupt TIFF file"),
        (_tiff(RGB, photometric="rgb")[:30], "has a broken header"),
        (b"II*\0" + bytes(40), "has a broken header"),
    ],
)
def test_other_files_are_refused(file: bytes, reason: str) -> None:
    with pytest.raises(BadImage, match=reason):
        open_image(file).levels()


@pytest.mark.parametrize(
    ("photometric", "name"),
    [
        ("cielab", "CIELab"),
        ("icclab", "ICCLab"),
        ("ycbcr", "YCbCr"),
        ("logluv", "LogLuv"),
        ("linear_raw", "linear raw"),
    ],
)
def test_other_colors_are_no_bands(photometric: str, name: str) -> None:
    for channels in (3, None):
        with pytest.raises(BadImage, match=f"has {name}.* of 16 bits, which is not supported in TIFF files; convert"):
            open_image(_tiff(RGB, photometric=photometric), channels=channels)


def test_indexes_of_a_palette_are_no_gray_levels() -> None:
    palette = np.stack([np.arange(65535, -1, -1)] * 3).astype(np.uint16)
    for channels in (1, 3, None):
        with pytest.raises(BadImage, match="has a palette of 16 bits"):
            open_image(_tiff(RGB[..., 0], photometric="palette", colormap=palette), channels=channels)


def test_three_inks_are_no_bands() -> None:
    with pytest.raises(BadImage, match="has 3 channels of uint16, which are not supported"):
        open_image(_tiff(RGB, photometric="rgb").replace(_photometric(2), _photometric(5)))


def test_a_damaged_file_is_read_or_refused() -> None:
    draw = np.random.default_rng(0)
    for options in ({}, {"compression": "lzw"}, {"compression": "zlib", "predictor": True}, {"tile": (16, 16)}):
        whole = _tiff(RGB, photometric="rgb", **options)
        for _ in range(60):
            damaged = bytearray(whole)
            for place in draw.integers(0, min(300, len(whole)), 2):
                damaged[place] = draw.choice([0, 1, 255])
            try:
                opened = open_image(bytes(damaged), 10**6)
                assert opened.levels().shape[:2] == opened.size[::-1]
            except BadImage:
                continue


def test_the_limit_of_pixels_counts() -> None:
    with pytest.raises(BadImage, match="has 100 x 100 pixels, over the limit"):
        open_image(_tiff(np.zeros((100, 100), np.uint16)), 9999)
