"""Files on this machine and, through Beam's file systems, in object stores (gs://, s3://): listed, opened and read."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from efficientmixnet.components.image_example_gen.entry import Entry, LeftOut
from efficientmixnet.modules.bad_input import BadInput


@dataclass(frozen=True, slots=True)
class File:
    """One file, unopened."""

    path: str
    name: str  # relative to the data folder, with forward slashes
    size: int  # bytes
    changed: str  # when


def is_remote(path: str) -> bool:
    """Whether the path is a URL, such as gs://bucket/folder."""
    return "://" in path


def join(folder: str, name: str) -> str:
    """The path of what is named relative to the folder; an absolute one stays as it is."""
    if is_remote(name):
        return name
    return f"{folder.rstrip('/')}/{name}" if is_remote(folder) else str(Path(folder, name))


def list_files(folder: str) -> Iterator[File | LeftOut]:
    """All files below the folder, or the folder itself where it is a file; hidden ones say nothing about pictures.

    Raises:
        BadInput: there is none of this name.
    """
    if is_remote(folder):
        yield from _listed_remotely(folder)
        return
    if os.path.isfile(folder):
        yield _file(folder, os.path.basename(folder))
        return
    if not os.path.isdir(folder):
        raise BadInput(
            f"data.pictures: {folder} does not exist; name the folder that holds one folder of pictures per class"
        )
    for name in sorted(os.listdir(folder)):
        if name.startswith("."):
            continue
        path = os.path.join(folder, name)
        for below in _below(path, name) if os.path.isdir(path) else (name,):
            yield _file(os.path.join(folder, below), below)


def find_file(path: str, name: str) -> File | None:
    """The one file at this path, if there is one."""
    if is_remote(path):
        (found,) = _match([path])
        return File(path, name, found[0].size_in_bytes, str(found[0].last_updated_in_seconds)) if found else None
    try:
        status = os.stat(path)
    except (OSError, ValueError):  # ValueError: a null byte in the name
        return None
    return File(path, name, status.st_size, str(status.st_mtime_ns)) if stat.S_ISREG(status.st_mode) else None


def open_file(path: str) -> BinaryIO:
    """Opens the file for reading, as it is: nothing is decompressed."""
    if not is_remote(path):
        return open(path, "rb")
    from apache_beam.io.filesystem import CompressionTypes
    from apache_beam.io.filesystems import FileSystems

    return FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED)


def read_bytes(entry: Entry) -> bytes:
    """The encoded picture; of an entry with a row, see containers.py.

    Raises:
        OSError: it cannot be read.
    """
    with open_file(entry.path) as file:
        if entry.offset is None or entry.size is None:
            return file.read()
        file.seek(entry.offset)
        return file.read(entry.size)


def _below(folder: str, name: str) -> Iterator[str]:
    """The files' names, with the folder's own in front; strings, since Path takes longer than the disk."""
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        above = name + parent[len(folder) :].replace(os.sep, "/")
        yield from (f"{above}/{file}" for file in sorted(files) if not file.startswith("."))


def _file(path: str, name: str) -> File | LeftOut:
    try:
        name.encode()
        status = os.stat(path)
    except UnicodeEncodeError:
        return LeftOut(name.encode(errors="replace").decode(), "has a name that is not UTF-8")
    except OSError as error:
        return LeftOut(name, f"cannot be read: {error.strerror}")
    return File(path, name, status.st_size, str(status.st_mtime_ns))


def _listed_remotely(folder: str) -> Iterator[File]:
    below = folder.rstrip("/") + "/"
    inside, itself = _match([below + "**", folder])  # the name may also be a file's
    if not inside and not itself:
        raise BadInput(f"data.pictures: {folder} does not exist, or holds nothing")
    for one in sorted(inside or itself, key=lambda one: one.path):
        name = one.path.removeprefix(below) if inside else one.path.rpartition("/")[2]
        # Some stores keep an empty object for a folder.
        if not name.endswith("/") and not any(part.startswith(".") for part in name.split("/")):
            yield File(one.path, name, one.size_in_bytes, str(one.last_updated_in_seconds))


def _match(patterns: list[str]) -> list[list[Any]]:
    """What there is of each pattern: Beam's metadata of the files."""
    from apache_beam.io.filesystem import BeamIOError
    from apache_beam.io.filesystems import FileSystems

    try:
        return [result.metadata_list for result in FileSystems.match(patterns)]
    except (BeamIOError, ValueError) as error:
        raise BadInput(f"data.pictures: {patterns[-1]} cannot be listed ({' '.join(str(error).split())})") from None
