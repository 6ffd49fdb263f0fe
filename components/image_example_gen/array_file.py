"""ArrayFile: a NumPy array, as an .npy file or alone in an .npz file. No pickle is loaded, and no header is evaluated.

NumPy evaluates a header as Python, and takes memory for any size that a header names. Here, both are checked first.
"""

import io
import math
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import numpy as np

from efficientmixnet.components.image_example_gen.damaged import damaged
from efficientmixnet.components.image_example_gen.entry import MAX_IMAGE_BYTES
from efficientmixnet.modules.exceptions import BadImage

NPY, ZIP = b"\x93NUMPY", b"PK\x03\x04"

TYPES = ("uint8", "uint16", "float32")
"""The types of the values of arrays and of bands."""

_LONGEST_HEADER = 10_000  # bytes, as in NumPy
_ERRORS = (
    *(zipfile.BadZipFile, zlib.error, struct.error),
    *(ArithmeticError, EOFError, LookupError, OSError, RuntimeError, ValueError),
)
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # what NumPy writes
_DESCR = re.compile(r"""['"]descr['"]\s*:\s*(?:['"]([^'"]*)['"]|\[)""")
_ORDER = re.compile(r"""['"]fortran_order['"]\s*:\s*(True|False)""")
_SHAPE = re.compile(r"""['"]shape['"]\s*:\s*\(([\d,\s]*)\)""")
_LONGEST_SIDE = 999_999  # pixels, or channels, as modules/data/arrays.py reads them
_LARGEST = 1e15  # of floats, whose squares are added in single precision


class ArrayFile:
    """An array whose values are not read yet: [height, width, channels], or [height, width] for one channel.

    Args:
        file: The file.
        max_bytes: The largest size of the values.

    Raises:
        BadImage: The file is damaged, too large, or holds anything but one array of TYPES.
    """

    is_array = True
    orientation = 1
    """As in EXIF. An array is upright."""

    def __init__(self, file: bytes, max_bytes: int = MAX_IMAGE_BYTES) -> None:
        self.format = "NPY" if file.startswith(NPY) else "NPZ"
        self._file = file
        with self._opened() as stream:
            self._type, self._is_fortran, self._shape = _header(stream)
            self._start = stream.tell()
        height, width, self.channels = self._shape if len(self._shape) == 3 else (*self._shape, 1)
        self.size = width, height
        """Width and height, in pixels."""
        self.mode = f"{self.channels};{self._type.newbyteorder('=')}"
        """The number of channels and the type of the values, such as 5;uint16."""
        self._bytes = math.prod(self._shape) * self._type.itemsize
        if self._bytes > max_bytes:
            raise too_large(self._bytes, max_bytes)

    def load(self, side: int | None = None) -> None:
        """Reads the values. See PillowImage."""
        self.levels()

    def levels(self, side: int | None = None) -> np.ndarray:
        """Reads the values: [height, width, channels] of TYPES.

        Args:
            side: Has no effect.

        Raises:
            BadImage: The file is damaged, or has values that are not finite.
        """
        with self._opened() as stream:
            stream.seek(self._start)
            content = stream.read(self._bytes + 1)
        if len(content) != self._bytes:
            raise damaged(self.format)
        values = np.frombuffer(content, self._type).reshape(self._shape, order="F" if self._is_fortran else "C")
        return checked(values.reshape(*self.size[::-1], self.channels))

    @contextmanager
    def _opened(self) -> Iterator[IO[bytes]]:
        try:
            if self.format == "NPY":
                yield io.BytesIO(self._file)
                return
            with zipfile.ZipFile(io.BytesIO(self._file)) as archive:
                members = archive.infolist()
                if len(members) != 1 or not members[0].filename.endswith(".npy"):
                    raise BadImage(f"is an archive of {len(members)} files; an .npz file must hold one array")
                if members[0].compress_type not in _COMPRESSIONS:
                    raise BadImage("is an archive with an unknown compression")
                with archive.open(members[0]) as stream:
                    yield stream
        except BadImage:
            raise
        except _ERRORS:
            raise damaged(self.format) from None


def is_array(file: bytes) -> bool:
    """Returns whether the first bytes are those of an .npy or .npz file."""
    return file.startswith((NPY, ZIP))


def as_npy(values: np.ndarray) -> bytes:
    """Returns the array as an .npy file in the form that records and models take (data/arrays.py)."""
    file = io.BytesIO()
    little = values.astype(values.dtype.newbyteorder("<"), order="C", copy=False)
    np.lib.format.write_array(file, little, version=(1, 0), allow_pickle=False)
    return file.getvalue()


def in_words() -> str:
    """Returns the types as text."""
    return f"{', '.join(TYPES[:-1])} and {TYPES[-1]}"


def checked(values: np.ndarray) -> np.ndarray:
    """Returns the values in the byte order of this machine.

    Raises:
        BadImage: Floats are not finite, or their squares would not be.
    """
    values = values.astype(values.dtype.newbyteorder("="), order="C", copy=False)
    if values.dtype.kind == "f" and not np.all(np.abs(values) <= _LARGEST):
        raise BadImage(f"has values that are not finite or are beyond {_LARGEST:g} (NaN, infinity)")
    return values


def check_sides(*sides: int) -> None:
    """Checks the height, the width and the number of channels.

    Raises:
        BadImage: One of them is too large.
    """
    if max(sides) > _LONGEST_SIDE:
        raise BadImage(f"has a side of {max(sides):,}; an array has at most {_LONGEST_SIDE:,}")


def too_large(size: int, max_bytes: int) -> BadImage:
    """Returns the error for an image with values of this size."""
    return BadImage(
        f"has {size:,} bytes when unpacked, over the limit",
        f"data.max_image_bytes: {max_bytes}",
        f" of {max_bytes:,}; make it smaller",
    )


def _header(stream: IO[bytes]) -> tuple[np.dtype, bool, tuple[int, ...]]:
    """Reads type, order and shape. It does not evaluate the header, as NumPy does."""
    head = stream.read(len(NPY) + 2)
    wide = head[len(NPY) :] in (b"\x02\x00", b"\x03\x00")
    if not head.startswith(NPY) or not (wide or head[len(NPY) :] == b"\x01\x00"):
        raise BadImage("has a broken header (it is not an .npy file of version 1 to 3)")
    (length,) = struct.unpack("<I" if wide else "<H", stream.read(4 if wide else 2).ljust(4 if wide else 2, b"\0"))
    text = stream.read(min(length, _LONGEST_HEADER)).decode("latin-1")
    found = [pattern.search(text) for pattern in (_DESCR, _ORDER, _SHAPE)]
    if length > _LONGEST_HEADER or len(text) < length or None in found:
        raise BadImage("has a broken header (type, order and shape are not readable)")
    descr, order, numbers = (one[1] for one in found if one)
    return _type(descr or "a structure"), order == "True", _shape(numbers)


def _type(descr: str) -> np.dtype:
    if re.fullmatch(r"\|u1|[<>=]u2|[<>=]f4|[<>=]?u1", descr):
        return np.dtype(descr)
    what = "Python objects" if descr.startswith("|O") else f"values of the type {descr[:20]}"
    raise BadImage(f"has {what}, which are not supported; supported are {in_words()}")


def _shape(numbers: str) -> tuple[int, ...]:
    sides = [one.strip() for one in numbers.rstrip(", ").split(",")]
    shape = tuple(int(one) for one in sides if one.isdecimal() and len(one) < 10)
    if len(shape) not in (2, 3) or len(shape) != len(sides) or 0 in shape:
        raise BadImage(f"has the shape ({numbers[:40]}); an image has [height, width, channels]")
    check_sides(*shape)
    return shape
