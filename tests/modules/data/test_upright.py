"""EXIF's orientation is found with and without TensorFlow, and all eight of them become the same upright image."""

import io
import struct

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from efficientmixnet.modules.data import exif, upright

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)


def _tiff(orientation: int, order: str = ">", kind: int = 3, others: int = 2) -> bytes:
    """Returns EXIF with other tags before the orientation."""
    form = {1: "B3x", 3: "H2x", 4: "I"}[kind]
    tags = [struct.pack(f"{order}HHI4x", 0x100 + number, 3, 1) for number in range(others)]
    tags.append(struct.pack(f"{order}HHI{form}", 0x112, kind, 1, orientation))
    head = struct.pack(f"{order}2sHIH", b"II" if order == "<" else b"MM", 42, 8, len(tags))
    return head + b"".join(tags) + bytes(4)


def _file(kind: str, tiff: bytes) -> bytes:
    file = io.BytesIO()
    Image.fromarray(PIXELS).save(file, kind, exif=b"Exif\0\0" + tiff)
    return file.getvalue()


def _segments(*segments: bytes) -> bytes:
    """Returns a JPEG file with these segments before those of Pillow."""
    file = io.BytesIO()
    Image.fromarray(PIXELS).save(file, "JPEG")
    return b"\xff\xd8" + b"".join(segments) + file.getvalue()[2:]


def _segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def _both(file: bytes) -> set[int]:
    return {exif.orientation(file), int(upright.orientation(tf.constant(file)))}


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("number", range(1, 9))
def test_every_orientation_is_found_in_both_byte_orders(kind: str, order: str, number: int) -> None:
    file = _file(kind, _tiff(number, order))
    assert Image.open(io.BytesIO(file)).getexif()[0x112] == number
    assert _both(file) == {number}


@pytest.mark.parametrize(
    "tiff",
    [
        _tiff(0),
        _tiff(9),
        _tiff(6, kind=1),  # a byte, which EXIF does not allow
        _tiff(6)[:9],
        b"",
        b"MM\0*\xff\xff\xff\xff" + _tiff(6)[8:],  # a directory outside the file
        b"MM\0+" + _tiff(6)[4:],
        struct.pack(">2sHIH", b"MM", 42, 8, 0xFFFF),  # more tags than there are
    ],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_an_image_without_a_valid_orientation_is_upright(kind: str, tiff: bytes) -> None:
    assert _both(_file(kind, tiff)) == {1}


def test_the_first_exif_segment_of_a_jpeg_counts() -> None:
    six, eight = (_segment(0xE1, b"Exif\0\0" + _tiff(number, kind=4)) for number in (6, 8))
    icc, xmp = _segment(0xE2, bytes(65533)), _segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x/>")
    assert _both(_segments(icc, xmp, six, eight)) == {6}
    assert _both(_segments(b"\xff\xff\xff" + six)) == {6}  # bytes that fill space
    assert _both(_segments(_segment(0xFE, b"Exif\0\0" + _tiff(6)))) == {1}  # a comment
    assert _both(_segments() + six) == {1}  # behind the pixels
    assert _both(_segments(_segment(0xDB, bytes(65)), six)) == {1}  # behind a quantization table


def _directory(order: str, *entries: bytes, count: int | None = None, end: bytes = b"") -> bytes:
    """Returns EXIF with these tags."""
    head = struct.pack(
        f"{order}2sHIH", b"II" if order == "<" else b"MM", 42, 8, len(entries) if count is None else count
    )
    return head + b"".join(entries) + end


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_only_the_first_whole_orientation_tag_counts(kind: str, order: str) -> None:
    six, eight = (struct.pack(f"{order}HHIH2x", 0x112, 3, 1, number) for number in (6, 8))
    invalid = struct.pack(f"{order}HHIH2x", 0x112, 3, 1, 9)
    value = struct.pack(f"{order}HHI4s", 0x100, 2, 4, six[:4])  # the bytes of the tag, but as another tag's value
    assert _both(_file(kind, _directory(order, six, eight))) == {6}
    assert _both(_file(kind, _directory(order, invalid, eight))) == {1}
    assert _both(_file(kind, _directory(order, value, eight))) == {8}
    assert _both(_file(kind, _directory(order, value, eight, count=1))) == {1}
    if kind == "JPEG":  # In a PNG file, a checksum follows.
        for missing in range(1, 12):
            assert _both(_file(kind, _directory(order, value, six[:-missing], count=2))) == {1}


def test_a_tag_at_the_end_of_the_longest_exif_is_found() -> None:
    other = struct.pack(">HHIH2x", 0x100, 3, 1, 5)
    for number, last in ((1, other), (6, struct.pack(">HHIH2x", 0x112, 3, 1, 6))):
        file = tf.constant(_segments(_segment(0xE1, b"Exif\0\0" + _directory(">", *[other] * 5400, last))))
        assert int(upright.orientation(file)) == number


def test_the_search_in_a_jpeg_ends_after_many_segments() -> None:
    six = _segment(0xE1, b"Exif\0\0" + _tiff(6))
    assert _both(_segments(*[_segment(0xFE, b"")] * 255, six)) == {6}
    assert _both(_segments(*[_segment(0xFE, b"")] * 256, six)) == {1}


def test_damaged_exif_gives_the_same_orientation_with_and_without_tensorflow() -> None:
    draw = np.random.default_rng(1)
    graph = tf.function(upright.orientation, input_signature=[tf.TensorSpec([], tf.string)], autograph=False)
    files = [_file(kind, _tiff(6, order)) for kind in ("JPEG", "PNG") for order in "<>"]
    for file in files * 50:
        damaged = bytearray(file[: draw.integers(40, 200)] if draw.random() < 0.2 else file)
        for place in draw.integers(8, min(120, len(damaged)), 2):
            damaged[place] = draw.choice([0, 255, draw.integers(256)])
        assert exif.orientation(bytes(damaged)) == int(graph(tf.constant(bytes(damaged))))


@pytest.mark.parametrize("number", range(1, 9))
def test_an_image_is_turned_as_exif_defines(number: int) -> None:
    # By the standard's table: which sides of the scene the first row and the first column are.
    row, column = {
        1: ("top", "left"), 2: ("top", "right"), 3: ("bottom", "right"), 4: ("bottom", "left"),
        5: ("left", "top"), 6: ("right", "top"), 7: ("right", "bottom"), 8: ("left", "bottom"),
    }[number]  # fmt: skip
    turned = upright.upright(tf.constant(PIXELS), tf.constant(number)).numpy()
    sides = {"top": turned[0], "bottom": turned[-1], "left": turned[:, 0], "right": turned[:, -1]}
    for side, stored in ((row, PIXELS[0]), (column, PIXELS[:, 0])):
        assert sorted(map(tuple, sides[side])) == sorted(map(tuple, stored))
    corner = turned[-1 if "bottom" in (row, column) else 0, -1 if "right" in (row, column) else 0]
    np.testing.assert_array_equal(corner, PIXELS[0, 0])
