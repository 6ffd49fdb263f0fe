"""TIFF files with bands give the pixels that were written, or are left out for their number of channels."""

import io
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from efficientmixnet.components.image_example_gen.image_header import open_image
from efficientmixnet.modules.exceptions import BadImage

VALUES = np.random.default_rng(0).random((7, 11, 5)) * 250 - 0.5


def _tiff(values: np.ndarray, **options: Any) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, values, **{"photometric": "minisblack", **options})
    return file.getvalue()


@pytest.mark.parametrize("kind", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}, {"byteorder": ">"}, {"tile": (16, 16)}])
@pytest.mark.parametrize("bands", [1, 2, 3, 4, 5])
def test_bands_are_read_chunky_and_planar(kind: str, options: dict[str, Any], bands: int) -> None:
    values = np.abs(VALUES[..., :bands]).astype(kind)
    chunky = _tiff(values if bands > 1 else values[..., 0], planarconfig="contig" if bands > 1 else None, **options)
    planes = np.moveaxis(values, -1, 0).copy()
    planar = _tiff(planes, planarconfig="separate", **options) if bands > 1 else chunky
    for file in (chunky, planar):
        opened = open_image(file, channels=bands)
        assert (opened.channels, opened.size) == (bands, (11, 7))
        levels = opened.levels()
        np.testing.assert_array_equal(levels, values)
        assert levels.dtype == kind


def test_extra_samples_are_bands() -> None:
    values = VALUES.clip(0).astype(np.uint8)
    file = _tiff(values, photometric="rgb", planarconfig="contig")
    np.testing.assert_array_equal(open_image(file, channels=5).levels(), values)
    with pytest.raises(BadImage, match=r"has 5 channels, not 3 \(data.channels: 3\)"):
        open_image(file)


def test_alpha_is_a_band_if_four_channels_are_asked_for() -> None:
    values = VALUES[..., :4].clip(0).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(values).save(file, "TIFF")
    np.testing.assert_array_equal(open_image(file.getvalue(), channels=4).levels(), values)
    assert open_image(file.getvalue()).channels == 3


def test_bands_are_turned_upright() -> None:
    values = VALUES.astype(np.float32)
    file = _tiff(values, planarconfig="contig", extratags=[(274, "H", 1, 6)])
    opened = open_image(file, channels=5)
    assert opened.size == (7, 11)
    np.testing.assert_array_equal(opened.levels(), np.rot90(values, -1))


@pytest.mark.parametrize("kind", ["int16", "uint32", "float64"])
def test_bands_of_other_types_are_refused(kind: str) -> None:
    with pytest.raises(BadImage, match="supported are uint8, uint16 and float32"):
        open_image(_tiff(VALUES.astype(kind), planarconfig="contig"), channels=5)


def test_bands_that_are_not_finite_are_refused() -> None:
    values = VALUES.astype(np.float32)
    values[0, 0, 3] = np.nan
    with pytest.raises(BadImage, match="not finite"):
        open_image(_tiff(values, planarconfig="contig"), channels=5).levels()


def test_large_and_damaged_files_are_refused() -> None:
    file = _tiff(VALUES.astype(np.float32), planarconfig="contig")
    with pytest.raises(BadImage, match="has 1,540 bytes when unpacked"):
        open_image(file, channels=5, max_bytes=1539)
    with pytest.raises(BadImage):
        open_image(file[:-9], channels=5).levels()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF"])
def test_photographs_in_color_are_no_gray_images(kind: str) -> None:
    file = io.BytesIO()
    Image.new("RGB", (8, 6), "red").save(file, kind)
    with pytest.raises(BadImage, match=r"has 3 channels, not 1 \(data.channels: 1\)"):
        open_image(file.getvalue(), channels=1)
    with pytest.raises(BadImage, match="not"):
        open_image(file.getvalue(), channels=5)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "I;16"])
@pytest.mark.parametrize("channels", [1, 3])
def test_gray_photographs_fit_one_channel_and_three(mode: str, channels: int) -> None:
    file = io.BytesIO()
    Image.new(mode, (8, 6)).save(file, "PNG")
    assert open_image(file.getvalue(), channels=channels).levels().shape[-1] in (1, 2)


def test_a_thumbnail_shows_three_bands() -> None:
    values = np.zeros((40, 60, 5), np.uint8)
    values[..., 4] = 200
    small = open_image(_tiff(values, planarconfig="contig"), channels=5).thumbnail(20, (4, 0, 0))
    assert (small.size, small.getpixel((3, 3))) == ((20, 13), (200, 0, 0))
