"""Arrays from outside: those of NumPy's types are read, and hostile ones are refused with a reason."""

import io
import pickle
import struct
import zipfile
import zlib
from typing import Any

import numpy as np
import pytest

from efficientmixnet.components.image_example_gen.array_file import as_npy
from efficientmixnet.components.image_example_gen.image_header import open_image
from efficientmixnet.modules.exceptions import BadImage

VALUES = np.random.default_rng(0).integers(0, 60000, (6, 9, 5)).astype(np.uint16)


def _npy(values: Any, **options: Any) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, np.asanyarray(values), **options)
    return file.getvalue()


def _npz(*arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, *arrays)
    return file.getvalue()


def _zip(content: bytes, name: str = "a.npy", compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        archive.writestr(name, content)
    return file.getvalue()


def _header(shape: str, descr: str = "'<u2'", order: str = "False", pad: int = 0) -> bytes:
    text = f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}{' ' * pad}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


@pytest.mark.parametrize("kind", ["uint8", "uint16", "float32", ">u2", ">f4"])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_arrays_of_every_order_are_read(kind: str, order: str, version: tuple[int, int]) -> None:
    values = (VALUES / 300).astype(kind, order=order)
    for file in (_npy(values, version=version), _zip(_npy(values, version=version))):
        opened = open_image(file, channels=5)
        assert (opened.channels, opened.size) == (5, (9, 6))
        assert opened.mode == f"5;{np.dtype(kind).newbyteorder('=')}"
        np.testing.assert_array_equal(opened.levels(), values)
        assert opened.levels().dtype.isnative


def test_two_dimensions_are_one_channel() -> None:
    opened = open_image(_npy(VALUES[..., 0]), channels=1)
    np.testing.assert_array_equal(opened.levels(), VALUES[..., :1])


def test_arrays_are_kept_in_the_form_that_models_take() -> None:
    plain = _npy(VALUES, version=(1, 0))
    for values in (VALUES, np.asfortranarray(VALUES), VALUES.astype(">u2")):
        assert as_npy(values) == plain


@pytest.mark.parametrize("format", ["NPY", "NPZ"])
def test_the_content_says_the_format(format: str) -> None:
    assert open_image(_npy(VALUES) if format == "NPY" else _npz(VALUES), channels=5).format == format


class _Trap:
    def __reduce__(self) -> tuple:
        return pytest.fail, ("a pickle was loaded",)


OBJECTS = np.array([[_Trap()]], dtype=object)


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        (_npy(OBJECTS), "Python objects"),
        (_npz(OBJECTS), "Python objects"),
        (_zip(pickle.dumps(_Trap())), "broken header"),
        (_header("(6, 9, 5)", "'|O'") + pickle.dumps(_Trap()), "Python objects"),
        (_npy(np.zeros((4, 4), [("a", "u1")])), "a structure"),
        (_npy(VALUES.astype(np.float64)), "<f8.*supported are uint8, uint16 and float32"),
        (_npy(VALUES.astype(np.int16)), "<i2"),
        (_npy(VALUES.astype(np.complex64)), "<c8"),
        (_npy(np.full((4, 4), "text")), "<U4"),
        (_npy(VALUES > 3), "b1"),
        (_npy(VALUES[0, 0]), "has the shape"),
        (_npy(VALUES[np.newaxis]), "has the shape"),
        (_npy(np.uint8(3)), "has the shape"),
        (_npy(VALUES[:0]), "has the shape"),
        (_header("(99999999, 99999999, 5)"), "has a side of 99,999,999"),
        (_header("(999999999999999999999999, 5, 5)"), "has the shape"),
        (_header("(-6, 9, 5)"), "broken header"),
        (_header("(6, 9, 5,,)"), "."),
        (_header("(6, 9.5, 5)"), "broken header"),
        (_header("(" * 5000), "broken header"),
        (_header("__import__('os')"), "broken header"),
        (_header("(6, 9, 5)", pad=60_000), "broken header"),
        (_npy(VALUES)[:-1], "truncated"),
        (_npy(VALUES) + b"\0", "truncated or corrupt"),
        (_npy(VALUES)[:100], "broken header"),
        (_npy(VALUES)[:8], "broken header"),
        (_npy(VALUES).replace(b"\x01\x00", b"\x09\x00", 1), "broken header"),
        (_npz(VALUES, VALUES), "an archive of 2 files"),
        (_zip(b"text", "a.txt"), "one array"),
        (_zip(_npy(VALUES), compression=zipfile.ZIP_LZMA), "unknown compression"),
        (_npz(VALUES)[:-30], "truncated or corrupt"),
        (_npz(VALUES)[:60] + b"\xff" * 20 + _npz(VALUES)[80:], "truncated or corrupt"),
        (b"PK\x03\x04", "truncated or corrupt"),
        (_npy(np.full((3, 3, 5), np.nan, np.float32)), "not finite"),
        (_npy(np.full((3, 3, 5), -np.inf, np.float32)), "not finite"),
        (_npy(np.full((3, 3, 5), 1e30, np.float32)), "beyond 1e"),
        (_npy(VALUES[..., :4]), r"has 4 channels, not 5 \(data.channels: 5\)"),
        (_npy(VALUES[..., 0]), "has 1 channel, not 5"),
    ],
)
def test_a_hostile_array_is_refused(file: bytes, reason: str) -> None:
    with pytest.raises(BadImage, match=reason):
        open_image(file, channels=5).levels()


def test_an_archive_cannot_unpack_to_more_than_the_limit() -> None:
    bomb = _zip(_header("(20000, 20000, 5)", "'|u1'") + bytes(10**6))
    with pytest.raises(BadImage, match="has 2,000,000,000 bytes when unpacked"):
        open_image(bomb, channels=5)
    longer = _zip(_header("(10, 10, 5)", "'|u1'") + bytes(50 * 10**6))
    assert len(longer) < 100_000
    with pytest.raises(BadImage, match="truncated or corrupt"):
        open_image(longer, channels=5).levels()


def test_an_archive_that_lies_about_its_size_is_refused() -> None:
    file = bytearray(_zip(_npy(VALUES)))
    directory = file.rindex(b"PK\x01\x02")
    file[directory + 24 : directory + 28] = (10).to_bytes(4, "little")  # the unpacked size
    with pytest.raises(BadImage, match=r"truncated or corrupt|broken header"):
        open_image(bytes(file), channels=5).levels()


@pytest.mark.parametrize("offset", [2**63, 2**64 - 1])
def test_an_archive_whose_member_is_beyond_all_offsets_is_refused(offset: int) -> None:
    file = _npz(VALUES)
    start, end = file.rindex(b"PK\x01\x02"), file.rindex(b"PK\x05\x06")
    entry, tail = bytearray(file[start:end]), bytearray(file[end:])
    extra = struct.pack("<HHQ", 1, 8, offset)  # ZIP64
    entry[30:32], entry[42:46] = len(extra).to_bytes(2, "little"), b"\xff" * 4
    tail[12:16] = len(entry + extra).to_bytes(4, "little")
    with pytest.raises(BadImage, match="is a truncated or corrupt NPZ file"):
        open_image(file[:start] + bytes(entry + extra + tail), channels=5)


def test_the_limits_of_pixels_and_bytes_apply() -> None:
    with pytest.raises(BadImage, match="has 9 x 6 pixels"):
        open_image(_npy(VALUES), max_pixels=53, channels=5)
    with pytest.raises(BadImage, match=r"has 540 bytes when unpacked, over the limit \(data.max_image_bytes: 539\)"):
        open_image(_npz(VALUES), channels=5, max_bytes=539)
    assert zlib.crc32(open_image(_npz(VALUES), 54, 5, 540).levels()) == zlib.crc32(VALUES)


def test_a_side_that_the_model_cannot_read_is_refused() -> None:
    for shape in ((1, 1_000_000, 1), (1_000_000, 1)):
        with pytest.raises(BadImage, match="has a side of 1,000,000; an array has at most 999,999"):
            open_image(as_npy(np.zeros(shape, np.uint8)), channels=None)
