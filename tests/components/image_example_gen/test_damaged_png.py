"""inspect, which reads with Pillow, leaves out the same damaged PNG files as ingest, which reads with TensorFlow."""

import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf

from efficientmixnet.components.image_example_gen.image_header import open_image
from efficientmixnet.modules.exceptions import BadImage

ROWS = (b"\0" + bytes(range(24))) * 8
PIXELS = zlib.compress(ROWS)
HEAD = (b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0))
OF_PALETTE, COLORS = (b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 3, 0, 0, 0)), (b"PLTE", bytes(range(72)))
DATA, END = (b"IDAT", PIXELS), (b"IEND", b"")


def _png(*chunks: tuple[bytes, bytes], wrong: int | None = None) -> bytes:
    """Returns a PNG file of these chunks, one of which may have a wrong checksum."""
    sums = [zlib.crc32(kind + content) ^ (number == wrong) for number, (kind, content) in enumerate(chunks)]
    parts = [
        struct.pack(">I4s", len(content), kind) + content + struct.pack(">I", one)
        for (kind, content), one in zip(chunks, sums, strict=True)
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _is_read_by_tensorflow(file: bytes) -> bool:
    try:
        tf.io.decode_png(file)
    except tf.errors.InvalidArgumentError:
        return False
    return True


WHOLE = _png(HEAD, DATA, END)
DAMAGED = {
    "no end": WHOLE[:-12],
    "half of the end": WHOLE[:-5],
    "text that is cut, and no end": _png(HEAD, DATA, (b"tEXt", b"note\0x"))[:-6],
    "a wrong checksum of the end": _png(HEAD, DATA, END, wrong=2),
    "a wrong checksum of the pixels": _png(HEAD, DATA, END, wrong=1),
    "an unknown chunk that decoders need": _png(HEAD, (b"ABCD", b"x"), DATA, END),
    "an unknown chunk that decoders need after the pixels": _png(HEAD, DATA, (b"ABCD", b"x"), END),
    "a chunk whose name is no text": _png(HEAD, (b"a1Cd", b"x"), DATA, END),
    "pixels around another chunk": _png(HEAD, (b"IDAT", PIXELS[:20]), (b"tEXt", b"a\0b"), (b"IDAT", PIXELS[20:]), END),
    "pixels that are cut": _png(HEAD, (b"IDAT", PIXELS[:20]), END),
    "half of the rows": _png(HEAD, (b"IDAT", zlib.compress(ROWS[:100])), END),
    "a wrong checksum of the rows": _png(HEAD, (b"IDAT", PIXELS[:-4] + b"sums"), END),
    "no checksum of the rows": _png(HEAD, (b"IDAT", PIXELS[:-4]), END),
    "a second header": _png(HEAD, HEAD, DATA, END),
    "text before the header": _png((b"tEXt", b"a\0b"), HEAD, DATA, END),
    "a longer header": _png((b"IHDR", HEAD[1] + b"x"), DATA, END),
    "an unknown compression": _png((b"IHDR", HEAD[1][:10] + b"\1\0\0"), DATA, END),
    "an empty palette of RGB": _png(HEAD, (b"PLTE", b""), DATA, END),
    "no palette": _png(OF_PALETTE, DATA, END),
    "two palettes": _png(OF_PALETTE, COLORS, COLORS, DATA, END),
    "a palette of 47 bytes": _png(OF_PALETTE, (b"PLTE", bytes(47)), DATA, END),
    "a palette after the pixels": _png(OF_PALETTE, COLORS, DATA, COLORS, END),
}
"""By what is wrong."""


@pytest.mark.parametrize("file", DAMAGED.values(), ids=DAMAGED.keys())
def test_a_damaged_file_is_left_out(file: bytes) -> None:
    assert not _is_read_by_tensorflow(file)
    with pytest.raises(BadImage, match=r"^is a truncated or corrupt PNG file$"):
        open_image(file).check()


WHOLE_FILES = {
    "nothing": WHOLE,
    "bytes after the end": WHOLE + b"abc",
    "pixels in several chunks": _png(HEAD, (b"IDAT", PIXELS[:20]), (b"IDAT", b""), (b"IDAT", PIXELS[20:]), END),
    "text after the pixels": _png(HEAD, DATA, (b"tEXt", b"note\0x"), END),
    "pixels after the pixels": _png(HEAD, DATA, (b"tEXt", b"note\0x"), (b"IDAT", b"more"), END),
    "a palette": _png(OF_PALETTE, COLORS, (b"IDAT", zlib.compress((b"\0" + bytes(range(8))) * 8)), END),
    "a palette of RGB": _png(HEAD, COLORS, DATA, END),
    "a palette of RGB that is none": _png(HEAD, (b"PLTE", bytes(47)), DATA, END),
    "rows that are too many": _png(HEAD, (b"IDAT", zlib.compress(ROWS * 3)), END),
}
"""By what is odd."""


@pytest.mark.parametrize("file", WHOLE_FILES.values(), ids=WHOLE_FILES.keys())
def test_a_whole_file_is_read(file: bytes) -> None:
    np.testing.assert_array_equal(open_image(file).levels(), tf.io.decode_png(file))


def test_pixels_that_would_take_hours_to_unpack_are_refused() -> None:
    """TensorFlow reads this file, but takes time for each of its 80 MB."""
    packed = zlib.compress(bytes(80_000_000))
    assert len(packed) > 70_000
    with pytest.raises(BadImage, match=r"^is a truncated or corrupt PNG file$"):
        open_image(_png(HEAD, (b"IDAT", packed), END))


def test_noise_that_is_not_packed_is_read() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (300, 300, 3), dtype=np.uint8)
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    head = b"IHDR", struct.pack(">IIBBBBB", 300, 300, 8, 2, 0, 0, 0)
    fixed_codes = zlib.compressobj(strategy=zlib.Z_FIXED)
    for packed in (zlib.compress(rows, 0), fixed_codes.compress(rows) + fixed_codes.flush()):
        np.testing.assert_array_equal(open_image(_png(head, (b"IDAT", packed), END)).levels(), pixels)


@pytest.mark.parametrize(("color_type", "bits"), [(0, 1), (2, 8), (3, 4), (6, 16)])
@pytest.mark.parametrize("is_interlaced", [False, True])
@pytest.mark.parametrize("size", [(1, 1), (3, 5), (9, 2)])
def test_as_many_bytes_are_needed_as_tensorflow_needs(
    size: tuple[int, int], is_interlaced: bool, color_type: int, bits: int
) -> None:
    head = b"IHDR", struct.pack(">IIBBBBB", *size, bits, color_type, 0, 0, is_interlaced)
    colors = [(b"PLTE", bytes(3 * 2**bits))] if color_type == 3 else []
    found = []
    for count in range(180):
        file = _png(head, *colors, (b"IDAT", zlib.compress(bytes(count))), END)
        try:
            open_image(file).check()
        except BadImage:
            found.append((False, _is_read_by_tensorflow(file)))
        else:
            found.append((True, _is_read_by_tensorflow(file)))
    assert set(found) == {(False, False), (True, True)}
