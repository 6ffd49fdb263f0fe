"""Tests of pillow_file: a Pillow image has the same pixels as the file it was read from."""

import io

import numpy as np
import pytest
from PIL import Image, ImageOps

from efficientmixnet.components.image_example_gen.image_header import open_image
from efficientmixnet.modules.data import exif
from efficientmixnet.modules.exceptions import BadImage
from efficientmixnet.pipeline.scoring.pillow_file import pillow_file


def _colors(width: int = 9, height: int = 5) -> Image.Image:
    """An image whose pixels all differ."""
    red, green = np.meshgrid(np.arange(width) * 25, np.arange(height) * 50)
    return Image.fromarray(np.dstack([red, green, 255 - red]).astype(np.uint8))


def _file(image: Image.Image, form: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def _pixels(file: bytes, channels: int = 3) -> np.ndarray:
    return open_image(file, channels=channels).levels()


@pytest.mark.parametrize(
    ("mode", "form"),
    [
        *((mode, form) for mode in ("1", "L", "LA", "P", "RGB", "RGBA") for form in ("PNG", "TIFF")),
        *(("P", "GIF"), ("RGB", "WEBP"), ("CMYK", "JPEG"), ("CMYK", "TIFF")),
    ],
)
def test_every_mode_has_the_pixels_of_its_file(mode: str, form: str) -> None:
    file = _file(_colors().convert(mode), form)
    np.testing.assert_array_equal(_pixels(pillow_file(Image.open(io.BytesIO(file)))), _pixels(file))


def test_floats_have_the_pixels_of_their_file() -> None:
    file = _file(_colors().convert("L").convert("F"), "TIFF")
    np.testing.assert_array_equal(_pixels(pillow_file(Image.open(io.BytesIO(file)))), _pixels(file))


@pytest.mark.parametrize("mode", ["I;16", "I"])
def test_sixteen_bits_stay_sixteen_bits(mode: str) -> None:
    values = np.arange(45, dtype=np.uint16).reshape(5, 9) * 1489
    image = Image.fromarray(values)
    np.testing.assert_array_equal(_pixels(pillow_file(image.convert(mode))), values[..., np.newaxis])
    np.testing.assert_array_equal(_pixels(_file(image, "PNG")), values[..., np.newaxis])


@pytest.mark.parametrize(
    ("mode", "same"),
    [("YCbCr", "RGB"), ("HSV", "RGB"), ("RGBX", "RGB"), ("RGBa", "RGBA"), ("PA", "RGBA"), ("La", "LA")],
)
def test_modes_that_png_lacks_are_converted(mode: str, same: str) -> None:
    image = _colors().convert("P" if mode == "PA" else same).convert(mode)
    assert image.mode == mode
    np.testing.assert_array_equal(_pixels(pillow_file(image)), np.asarray(image.convert(same)))


def test_transparent_colors_of_a_palette_stay_transparent() -> None:
    image = _colors().quantize(8)
    file = _file(image, "GIF", transparency=3)
    found = _pixels(pillow_file(Image.open(io.BytesIO(file))))
    np.testing.assert_array_equal(found, _pixels(file))
    assert set(np.unique(found[..., 3])) == {0, 255}


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
@pytest.mark.parametrize(
    ("mode", "form"), [("RGB", "JPEG"), ("L", "JPEG"), ("P", "PNG"), ("RGB", "TIFF"), ("F", "TIFF")]
)
def test_an_image_is_turned_by_its_exif_orientation_once(mode: str, form: str, orientation: int) -> None:
    tags = Image.Exif()
    tags[exif.TAG] = orientation
    image = _colors().convert("L").convert("F") if mode == "F" else _colors().convert(mode)
    file = _file(image, form, exif=tags)
    expected = _pixels(file)
    assert expected.shape[:2] == ((9, 5) if orientation in (6, 8) else (5, 9))
    for opened in (Image.open(io.BytesIO(file)), ImageOps.exif_transpose(Image.open(io.BytesIO(file)))):
        np.testing.assert_array_equal(_pixels(pillow_file(opened)), expected)


def test_an_orientation_in_xmp_is_ignored_as_in_files() -> None:
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/" xmlns:tiff="t"><a tiff:Orientation="6"/></x:xmpmeta>'
    image = Image.open(io.BytesIO(_file(_colors(), "JPEG", xmp=xmp)))
    assert image.getexif()[exif.TAG] == 6  # what Pillow finds
    assert _pixels(pillow_file(image)).shape == (5, 9, 3)


def test_floats_of_a_model_of_one_channel_keep_their_values() -> None:
    values = np.float32([[-2, 0.5], [3, 700]])
    np.testing.assert_array_equal(_pixels(pillow_file(Image.fromarray(values)), channels=1), values[..., np.newaxis])


@pytest.mark.parametrize("values", [[[0, 65536]], [[-1, 0]]])
def test_integers_beyond_16_bits_are_refused(values: list[list[int]]) -> None:
    with pytest.raises(BadImage, match=r"has values from .*; with the mode I, white is 65535"):
        pillow_file(Image.fromarray(np.int32(values)))


def test_integers_whose_range_only_the_tiff_file_knows_are_refused() -> None:
    file = _file(Image.fromarray(np.int32([[0, 9]])), "TIFF")
    with pytest.raises(BadImage, match="is a TIFF file of numbers whose range Pillow does not keep; give its path"):
        pillow_file(Image.open(io.BytesIO(file)))


def test_a_damaged_image_is_refused() -> None:
    file = _file(_colors(900, 500), "JPEG")
    with pytest.raises(BadImage, match=r"^cannot be read: "):
        pillow_file(Image.open(io.BytesIO(file[: len(file) // 2])))
    with pytest.raises(BadImage, match=r"^cannot be read: "):
        pillow_file(Image.new("RGB", (0, 0)))
