"""Files of programs that do not keep to their format: other readers show them, so they must not be black or white."""

import io
import struct

import numpy as np
import pillow_heif
import pytest
import tensorflow as tf
import tifffile
from PIL import Image

from efficientmixnet.components.image_example_gen.canonical import canonical
from efficientmixnet.components.image_example_gen.image_header import open_image
from efficientmixnet.modules.data import images
from efficientmixnet.pipeline.scoring.pillow_file import pillow_file

LIMIT = 10**6
SIDE = 8


def _served(file: bytes) -> np.ndarray:
    """The pixels that the network gets."""
    return images.decode(tf.constant(canonical(file, LIMIT)[0])).numpy()


def _bmp(alpha: int) -> bytes:
    """A BMP file of version 5 with 32 bits and one color."""
    pixels = bytes([10, 20, 200, alpha]) * SIDE**2
    header = struct.pack("<IiiHHIIiiII", 124, SIDE, SIDE, 1, 32, 3, len(pixels), 2835, 2835, 0, 0)
    header = (header + struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)).ljust(124, b"\0")
    return b"BM" + struct.pack("<IHHI", 138 + len(pixels), 0, 0, 138) + header + pixels


@pytest.mark.parametrize(("alpha", "color"), [(255, [200, 20, 10]), (0, [200, 20, 10]), (128, [227, 137, 132])])
def test_a_bmp_file_without_alpha_values_is_opaque(alpha: int, color: list[int]) -> None:
    np.testing.assert_allclose(_served(_bmp(alpha)), np.broadcast_to(color, (SIDE, SIDE, 3)), atol=1)


@pytest.mark.parametrize("mode", ["RGBA", "RGBa"])
def test_transparent_pixels_of_a_heic_file_become_white(mode: str) -> None:
    pixels = np.zeros((64, 64, 4), np.uint8)
    pixels[32:] = (200, 30, 10, 255)
    file = io.BytesIO()
    pillow_heif.from_bytes(mode=mode, size=(64, 64), data=pixels.tobytes()).save(file, quality=-1)
    found = _served(file.getvalue())
    np.testing.assert_allclose(found[5, 5], 255, atol=2)
    np.testing.assert_allclose(found[60, 5], [200, 30, 10], atol=3)


@pytest.mark.parametrize("scale", [1, 257])
def test_a_tiff_palette_may_have_numbers_of_8_bits(scale: int) -> None:
    colors = np.stack([np.arange(256), np.arange(256)[::-1], np.full(256, 128)]).astype(np.uint16)
    indices = np.arange(64, dtype=np.uint8).reshape(SIDE, SIDE)
    file = io.BytesIO()
    tifffile.imwrite(file, indices, photometric="palette", colormap=colors * scale)
    np.testing.assert_array_equal(_served(file.getvalue()), colors.T[indices])


@pytest.mark.parametrize("marker", [b"Adobe", b"Other"])
def test_cmyk_has_the_colors_of_tensorflow_everywhere(marker: bytes) -> None:
    file = io.BytesIO()
    Image.new("RGB", (SIDE, SIDE), (200, 40, 40)).convert("CMYK").save(file, "JPEG", quality=95)
    encoded = file.getvalue().replace(b"Adobe", marker)
    served = _served(encoded).astype(int)
    thumbnail = np.asarray(open_image(encoded).thumbnail(SIDE)).astype(int)
    given = _served(pillow_file(Image.open(io.BytesIO(encoded)))).astype(int)
    assert np.abs(thumbnail - served).max() <= 2
    assert np.abs(given - served).max() <= 2
