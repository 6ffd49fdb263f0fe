"""WebDataset's tar shards. The files of a sample are consecutive, and have the same name up to the first dot."""

import gzip
import re
import tarfile
import zlib
from collections.abc import Iterator
from itertools import groupby
from pathlib import PurePosixPath
from tarfile import (  # type: ignore[attr-defined]
    GNUTYPE_LONGLINK,
    GNUTYPE_LONGNAME,
    SOLARIS_XHDTYPE,
    XGLTYPE,
    XHDTYPE,
    EmptyHeaderError,
    EOFHeaderError,
    HeaderError,
    TruncatedHeaderError,
)
from typing import Any

from efficientmixnet.components.image_example_gen.files import open_file
from efficientmixnet.components.image_example_gen.image_suffixes import SUFFIXES
from efficientmixnet.components.image_example_gen.layout import Layout
from efficientmixnet.components.image_example_gen.readers.reader import Sample
from efficientmixnet.modules.exceptions import DamagedFile
from efficientmixnet.modules.files.untrusted_json import parse_json

_CLASS, _JSON, _TEXT = "cls", "json", "txt"
_GZIP = b"\x1f\x8b"
_LONGEST_TEXT = 2**24  # bytes
_LONGEST_HEADER = 2**20  # bytes
_MOST_DIGITS = 255  # in a row, as in the longest name of a file
_BLOCK = 2**20  # bytes
_SHOWN = 3  # extensions
_HEADERS = (GNUTYPE_LONGNAME, GNUTYPE_LONGLINK, XHDTYPE, XGLTYPE, SOLARIS_XHDTYPE)
# What tarfile raises for wrong numbers, for missing parts of headers, and for a long row of headers.
_ERRORS = (zlib.error, OSError, ValueError, ArithmeticError, LookupError, RecursionError)


class _Member(tarfile.TarInfo):
    """A member whose header is checked. tarfile takes a broken header for the end of the archive."""

    @classmethod
    def fromtarfile(cls, tarfile: tarfile.TarFile) -> "_Member":
        try:
            return super().fromtarfile(tarfile)
        except EOFHeaderError:
            raise
        except HeaderError as error:
            if tarfile.offset == 0:
                raise
            is_cut = isinstance(error, (EmptyHeaderError, TruncatedHeaderError))
            raise DamagedFile("is truncated" if is_cut else f"has a broken header ({error})") from None

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> "_Member":
        member = super().frombuf(buf, encoding, errors)
        if member.type in _HEADERS and member.size > _LONGEST_HEADER:
            raise DamagedFile(f"has a header of {member.size:,} bytes")
        return member

    def _block(self, count: int) -> int:
        """Overrides TarInfo: with a negative size, tarfile would read the same headers forever (CVE-2025-8194)."""
        if count < 0:
            raise DamagedFile("has a member of negative size")
        return super()._block(count)  # type: ignore[misc]

    def _proc_pax(self, tarfile: tarfile.TarFile) -> tarfile.TarInfo:
        """Overrides TarInfo: Python before 3.12.6 takes quadratic time for a long row of digits (CVE-2024-6232)."""
        stream = tarfile.fileobj
        header = stream.read(self._block(self.size))
        if any(len(digits) > _MOST_DIGITS for digits in re.findall(rb"\d+", header)):
            raise DamagedFile("has a broken header (a row of digits)")
        tarfile.fileobj = _Again(stream, header)
        try:
            return super()._proc_pax(tarfile)  # type: ignore[misc]
        finally:
            tarfile.fileobj = stream


class _Again:
    """A stream whose last block is read once more."""

    def __init__(self, stream: Any, block: bytes) -> None:
        self._stream, self._block = stream, block

    def read(self, size: int) -> bytes:
        block, self._block = self._block, b""
        return block or bytes(self._stream.read(size))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def read_tar(path: str, layout: Layout, with_images: bool, max_bytes: int) -> Iterator[Sample]:
    """Yields every sample; see Reader.

    The label is in a file .cls, or under "label" in .json, where "split" may be too. Further features are in .json.
    """
    with open_file(path) as file:
        compressed = file.read(2) == _GZIP
        file.seek(0, 2)
        end = file.tell()
        file.seek(0)
        try:
            # Unlike tarfile, GzipFile reads all members of a gzip file. Parallel compressors write several.
            stream = gzip.GzipFile(fileobj=file) if compressed else file
            with tarfile.open(fileobj=stream, mode="r|" if compressed else "r:", tarinfo=_Member) as tar:
                for key, members in groupby(_files(tar), key=lambda member: _key(member.name)):
                    yield _sample(tar, key, members, layout, compressed, max_bytes if with_images or compressed else 0)
                # An archive ends with blocks of zeros, which tarfile does not require.
                if not compressed and tar.offset + tarfile.BLOCKSIZE > end:
                    raise DamagedFile("is truncated")
                # tarfile takes any block of zeros for the end, also one in the middle of a damaged archive.
                blocks = iter(lambda: tar.fileobj.read(_BLOCK), b"")
                if any(block.strip(b"\0") for block in blocks):
                    raise DamagedFile("has data after its end")
        except tarfile.ReadError as error:
            raise DamagedFile(
                "is truncated" if "unexpected end" in str(error) else f"is not a tar file ({error})"
            ) from None
        except EOFError:  # of gzip
            raise DamagedFile("is truncated") from None
        except DamagedFile:
            raise
        except _ERRORS as error:
            raise DamagedFile(f"cannot be read further ({error})") from None


def _files(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    for member in tar:
        tar.members = []  # type: ignore[attr-defined]  # otherwise tarfile would keep them all
        stored = tar.offset - member.offset_data  # with the rest of its last block
        if member.size < 0 or (member.isreg() and not member.issparse() and member.size > stored):
            raise DamagedFile("has a member of another size than its content")
        if not member.isdir() and not PurePosixPath(member.name).name.startswith("."):
            yield member


def _key(name: str) -> str:
    """Returns the part of the name that all files of a sample have."""
    folder, slash, file = name.removeprefix("./").rpartition("/")
    return folder + slash + file.partition(".")[0]


def _sample(
    tar: tarfile.TarFile,
    key: str,
    members: Iterator[tarfile.TarInfo],
    layout: Layout,
    compressed: bool,
    most_bytes: int,  # of an image that is read now
) -> Sample:
    wanted = (layout.image or "").lower()
    suffixes = (f".{wanted}",) if wanted else tuple(SUFFIXES)
    place: tuple[int, int] | None = None
    image: bytes | None = None
    further_dots = 0  # images
    extensions: list[str] = []  # of the images
    texts: dict[str, bytes] = {}  # by extension
    for member in members:
        extension = member.name.rpartition("/")[2].partition(".")[2].lower()
        if not member.isfile() or member.issparse():
            continue  # links are not followed, and holes are not filled
        if f".{extension}" in suffixes:
            extensions.append(f".{extension}")
            place = member.offset_data, member.size
            image = _content(tar, member) if member.size <= most_bytes else None
        elif extension in (_CLASS, _JSON, _TEXT, layout.label, layout.split):
            if member.size > _LONGEST_TEXT:
                return Sample(key, fault=f"has a .{extension} file of {member.size:,} bytes")
            texts[extension] = _content(tar, member)
        further_dots += extension.endswith(suffixes)
    if len(extensions) > 1:
        many = f"{len(extensions):,} images ({', '.join(sorted(extensions)[:_SHOWN])})"
        return Sample(key, fault=f"has {many}; choose one by its suffix in data.layout.image", images=len(extensions))
    if place is None and further_dots:
        many = f"{further_dots:,} images with further dots in their names"
        those = many if further_dots > 1 else "an image with further dots in its name"
        fault = f"has {those}; the name up to the first dot is the sample's"
        return Sample(key, fault=fault, images=further_dots)
    if place is None:
        return Sample(key, fault="has no image" + (f" (no .{wanted})" if wanted else ""))
    try:
        about = parse_json(texts.get(_JSON, b"{}"))
    except ValueError as error:
        return Sample(key, fault=f"has a .json file that is not JSON ({error})")
    about = about if isinstance(about, dict) else {}

    def value(name: str) -> Any:
        return texts.get(name, about.get(name))

    label = value(layout.label) if layout.label else texts.get(_CLASS, about.get("label"))
    split_name = layout.split_among(about)
    split = value(split_name) if split_name else None
    if label is None:
        where = f"no .{layout.label} and no {layout.label!r} in .json" if layout.label else "no .cls, no label in .json"
        return Sample(key, fault=f"has no label ({where})", split=split)
    return Sample(
        name=key,
        label=label,
        split=split,
        columns=tuple((name, value(name)) for name in layout.features or ()),
        offset=None if compressed else place[0],
        size=place[1],
        image=image,
    )


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(member)
    return file.read() if file else b""
