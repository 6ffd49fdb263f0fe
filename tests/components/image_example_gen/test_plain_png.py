"""PNG files with odd metadata are read, with the pixels that TensorFlow sees."""

import io
import random
import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from efficientmixnet.components.image_example_gen.canonical import canonical
from efficientmixnet.components.image_example_gen.image_header import open_image
from efficientmixnet.modules.data import images
from efficientmixnet.modules.exceptions import BadImage


def _chunk(kind: bytes, content: bytes, checksum: int | None = None) -> bytes:
    found = zlib.crc32(kind + content) if checksum is None else checksum
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", found)


def _png(before: bytes, after: bytes = b"", palette: bytes = b"") -> bytes:
    """Returns a PNG with these chunks before and after the pixels: 8 x 8, orange, or palette colors."""
    header = struct.pack(">IIBBBBB", 8, 8, 8, 3 if palette else 2, 0, 0, 0)
    row = b"\0" + (b"\1" * 8 if palette else b"\xff\x80\x00" * 8)
    data = zlib.compress(row * 8)
    parts = _chunk(b"IHDR", header), palette, before, _chunk(b"IDAT", data), after, _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


NOISE = random.Random(0).randbytes(2**21)
ODD = {
    "long text": _chunk(b"zTXt", b"note\0\0" + zlib.compress(b"x" * 2**22)),
    "many texts": _chunk(b"tEXt", b"note\0" + b"x" * 2**20) * 70,
    "long profile": _chunk(b"iCCP", b"scanner\0\0" + zlib.compress(NOISE)),
    "text with a wrong checksum": _chunk(b"tEXt", b"note\0x", 0),
    "international text that is no text": _chunk(b"iTXt", b"\xff"),
    "physical size with a wrong checksum": _chunk(b"pHYs", bytes(9), 1),
    "unknown chunk": _chunk(b"abCd", NOISE[:100], 7),
    "transparency without a color": _chunk(b"tRNS", b""),
    "transparency with half a color": _chunk(b"tRNS", bytes(3)),
    "transparency with two colors": _chunk(b"tRNS", b"\0\xff\0\x80\0\0" * 2),
}


@pytest.mark.parametrize("chunks", ODD.values(), ids=ODD.keys())
@pytest.mark.parametrize("place", ["before", "after"])
def test_metadata_cannot_make_a_png_unreadable(chunks: bytes, place: str) -> None:
    file = _png(chunks) if place == "before" else _png(b"", chunks)
    encoded, header = canonical(file, 10**6)
    assert encoded == file
    assert header.size == (8, 8)
    np.testing.assert_array_equal(tf.io.decode_png(encoded), header.levels())
    assert header.thumbnail(8).getpixel((4, 4)) == (255, 128, 0)


@pytest.mark.parametrize(("checksum", "alpha"), [(None, 51), (5, 255)])
def test_transparency_counts_if_its_checksum_is_right(checksum: int | None, alpha: int) -> None:
    palette = _chunk(b"PLTE", bytes([0, 0, 0, 255, 128, 0]))
    file = _png(_chunk(b"tRNS", bytes([255, 51]), checksum), palette=palette)
    decoded = tf.io.decode_png(file, channels=4).numpy()
    assert decoded[0, 0].tolist() == [255, 128, 0, alpha]
    levels = open_image(file).levels()
    assert levels[0, 0].tolist() == ([255, 128, 0, alpha] if alpha < 255 else [255, 128, 0])


def test_a_wrong_checksum_of_the_pixels_is_damage() -> None:
    file = bytearray(_png(b""))
    file[file.index(b"IDAT") + 5] ^= 1
    with pytest.raises(BadImage, match="is a truncated or corrupt PNG file"):
        open_image(bytes(file)).levels()


def test_an_animated_png_gives_its_still_image() -> None:
    frames = [Image.new("RGB", (8, 8), color) for color in ("red", "blue")]
    saved = io.BytesIO()
    frames[0].save(saved, "PNG", save_all=True, append_images=frames[1:])
    assert (
        open_image(saved.getvalue()).levels()[0, 0].tolist()
        == tf.io.decode_png(saved.getvalue())[0, 0].numpy().tolist()
    )


# By color type (gray or RGB) and bits: the transparent value, another value, and the same value with 8 bits.
COLORS = {
    **{(0, 1): (0, 1, 255), (0, 2): (1, 2, 170), (0, 4): (3, 5, 85), (0, 8): (7, 200, 200)},
    **{(0, 16): (0x1234, 0x3412, 0x34), (2, 8): (7, 200, 200), (2, 16): (0x1234, 0x3412, 0x34)},
}


def _two_pixels(color_type: int, bits: int, chunk: bytes = b"", after: bytes = b"") -> bytes:
    """Returns a PNG file of 2 x 1 pixels, with chunks before and after the pixels."""
    first, second, _ = COLORS[color_type, bits]
    channels = 3 if color_type == 2 else 1
    header = struct.pack(">IIBBBBB", 2, 1, bits, color_type, 0, 0, 0)
    if bits < 8:
        row = bytes([first << (8 - bits) | second << (8 - 2 * bits)])
    else:
        row = b"".join(one.to_bytes(bits // 8, "big") for one in [first] * channels + [second] * channels)
    parts = _chunk(b"IHDR", header), chunk, _chunk(b"IDAT", zlib.compress(b"\0" + row)), after, _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _transparency(color_type: int, value: int, checksum: int | None = None) -> bytes:
    return _chunk(b"tRNS", value.to_bytes(2, "big") * (3 if color_type == 2 else 1), checksum)


def _shown(file: bytes) -> list[int]:
    """Returns the pixels of a page: the red of both."""
    return np.asarray(open_image(file).thumbnail(2))[0, :, 0].tolist()


@tf.function(input_signature=[tf.TensorSpec([], tf.string)], autograph=False)
def _served(file: tf.Tensor) -> tf.Tensor:
    return images.decode_stored(images.shrink(file, 8))


def _seen(file: bytes) -> list[int]:
    """Returns the pixels of the network: the red of both."""
    return _served(tf.constant(file))[0, :, 0].numpy().tolist()


@pytest.mark.parametrize(("color_type", "bits"), COLORS)
def test_the_transparent_color_is_white_for_pages_and_for_the_network(color_type: int, bits: int) -> None:
    file = _two_pixels(color_type, bits, _transparency(color_type, COLORS[color_type, bits][0]))
    assert canonical(file, 100)[0] == file
    assert _seen(file) == _shown(file) == [255, COLORS[color_type, bits][2]]
    assert images.decode(tf.constant(file))[0, :, 0].numpy().tolist() == _seen(file)


@pytest.mark.parametrize(("color_type", "bits"), COLORS)
@pytest.mark.parametrize("fault", ["checksum", "late", "text", "second"])
def test_transparency_that_decoders_ignore_hides_nothing(color_type: int, bits: int, fault: str) -> None:
    first, second, second_of_8_bits = COLORS[color_type, bits]
    chunk = _transparency(color_type, first)
    before, after, expected = {
        "checksum": (_transparency(color_type, first, checksum=1), b"", second_of_8_bits),
        "late": (b"", chunk, second_of_8_bits),
        "text": (_chunk(b"tEXt", b"note\0tRNS"), b"", second_of_8_bits),
        "second": (_transparency(color_type, second) + chunk, b"", 255),
    }[fault]
    file = _two_pixels(color_type, bits, before, after)
    assert _seen(file) == _shown(file) == [first * 255 // (2**bits - 1), expected]
