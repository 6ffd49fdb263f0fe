"""Lists, opens and reads files on this machine and, through fsspec, in object stores (gs://, s3://).

Beam's own file systems need a pipeline's options for S3, and connect again for every file.
"""

import errno
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any, BinaryIO

from efficientmixnet.components.image_example_gen.entry import Entry, LeftOut, image_by_suffix, may_be_image
from efficientmixnet.components.image_example_gen.skipped import Skipped
from efficientmixnet.components.image_example_gen.walk import walk
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.failures.unexpected import one_line

_CREDENTIALS = {
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS",
}
"""The environment variables with the credentials of a store."""

STORES = _CREDENTIALS.keys()
"""The schemes of the URLs that are read."""

_HEAD = 4096  # bytes
CHANGED = "it has changed since the images were listed"
_NOT_REGULAR = "it is a named pipe, a device or a socket"


@dataclass(frozen=True, slots=True)
class File:
    """A file that is not open.

    Args:
        path: The file's path or URL.
        name: The name relative to the data folder, with forward slashes.
        size: The size in bytes.
        changed: The time of the last change in any format, or the ETag of a store that has one.
    """

    path: str
    name: str
    size: int
    changed: str


def is_refused(path: str) -> bool:
    """Returns whether the path is a URL of another kind than those in STORES, such as file:// or zip://."""
    return is_remote(path) and path.partition("://")[0] not in STORES


def is_remote(path: str) -> bool:
    """Returns whether the path is a URL, such as gs://bucket/folder."""
    return "://" in path


def join(folder: str, name: str) -> str:
    """Returns the path of a name relative to the folder. Absolute paths and URLs stay as they are."""
    if is_remote(name):
        return name
    return f"{folder.rstrip('/')}/{name}" if is_remote(folder) else str(Path(folder, name))


def list_files(folder: str) -> Iterator[File | LeftOut | Skipped]:
    """Yields all files below the folder, or the folder itself if it is a file.

    Raises:
        BadInput: The folder does not exist or cannot be listed, or its store cannot be reached.
    """
    if is_remote(folder):
        yield from _listed_remotely(folder)
        return
    if os.path.isfile(folder):
        yield _file(folder, os.path.basename(folder))
        return
    if not os.path.isdir(folder):
        what = "is not a folder" if os.path.lexists(folder) else "does not exist"
        raise BadInput(f"data.images: {folder} {what}. Give the folder of the class folders.")
    try:
        for found in walk(folder):
            yield _file(os.path.join(folder, found), found) if isinstance(found, str) else found
    except OSError as error:
        raise BadInput(f"data.images: {folder} cannot be listed ({error.strerror})") from None


def find_file(path: str, name: str) -> File | None:
    """Returns the file at this path; None if there is none.

    Raises:
        BadInput: The file is in a store that cannot be used.
        OSError: The store refuses the access.
    """
    if is_remote(path):
        try:
            found = _store(path).info(path)
        except FileNotFoundError:
            return None
        except (OSError, BadInput):
            raise
        except Exception as error:  # each store raises its own
            raise BadInput(f"{path} cannot be read ({_why(path, error)})") from None
        return _remote_file(path, name, found) if found["type"] == "file" else None
    try:
        status = os.stat(path)
    except (OSError, ValueError):  # ValueError: a null byte in the name
        return None
    return File(path, name, *_as_listed(status)) if stat.S_ISREG(status.st_mode) else None


def open_file(path: str) -> BinaryIO:
    """Opens the file for reading bytes. On this machine it must be a regular file: a pipe could block forever.

    Raises:
        OSError: The file cannot be opened, or is not a regular file.
    """
    if not is_remote(path):
        return open(path, "rb", opener=_open_regular)
    with _store_errors(path):
        opened: BinaryIO = _store(path).open(path, "rb")
    return opened


def _head(path: str) -> bytes | None:
    """Returns the first bytes of the file; None if it cannot be read."""
    try:
        with _store_errors(path), open_file(path) as file:
            return file.read(_HEAD)
    except OSError:
        return None


def file_may_be_image(path: str, name: str) -> bool:
    """Returns what `may_be_image` returns for a file. Only one whose suffix is unknown is opened, which takes long.

    Args:
        path: The file's path.
        name: The file's name.
    """
    known = image_by_suffix(name)
    return may_be_image(name, _head(path)) if known is None else known


def has_changed(entry: Entry) -> bool:
    """Returns whether the entry's file has changed since it was listed."""
    if is_remote(entry.path):
        _store(entry.path).invalidate_cache()  # its cache still has the old listing
    file = find_file(entry.path, entry.name)
    return entry.listed is not None and (file is None or entry.listed != (file.size, file.changed))


@lru_cache(maxsize=4096)  # A store is asked once for each shard, not for each image.
def _shard_has_changed(path: str, listed: tuple[int, str]) -> bool:
    return has_changed(Entry(path, path, "", listed=listed))


def read_bytes(entry: Entry) -> bytes:
    """Returns the bytes of an image that has no row; readers.by_format reads the others.

    Raises:
        OSError: The file cannot be read, or has changed since it was listed.
    """
    if is_remote(entry.path):
        end = None if entry.offset is None or entry.size is None else entry.offset + entry.size
        if end and entry.listed and _shard_has_changed(entry.path, entry.listed):
            raise OSError(CHANGED)
        with _store_errors(entry.path):
            content = bytes(_store(entry.path).cat_file(entry.path, start=entry.offset, end=end))
        if entry.listed and end is None and len(content) != entry.listed[0]:
            raise OSError(CHANGED)
        return content
    with open_file(entry.path) as file:
        if entry.listed and entry.listed != _as_listed(os.fstat(file.fileno())):
            raise OSError(CHANGED)
        if entry.offset is None or entry.size is None:
            return file.read()
        file.seek(entry.offset)
        return file.read(entry.size)


def _as_listed(status: os.stat_result) -> tuple[int, str]:
    return status.st_size, str(status.st_mtime_ns)


def _open_regular(path: str, flags: int) -> int:
    descriptor = os.open(path, flags | os.O_NONBLOCK)
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):  # open() itself refuses folders
        os.close(descriptor)
        raise OSError(errno.EINVAL, _NOT_REGULAR, path)
    return descriptor


def _file(path: str, name: str) -> File | LeftOut:
    try:
        name.encode()
        status = os.stat(path)
    except UnicodeEncodeError:
        return LeftOut(name.encode(errors="replace").decode(), "has a name that is not UTF-8")
    except OSError as error:
        return LeftOut(name, f"cannot be read: {error.strerror}")
    if not stat.S_ISREG(status.st_mode):
        return LeftOut(name, f"cannot be read: {_NOT_REGULAR}")
    return File(path, name, *_as_listed(status))


def _listed_remotely(folder: str) -> Iterator[File | Skipped]:
    scheme, below = folder.partition("://")[0], folder.rstrip("/") + "/"
    store = _store(folder)
    try:
        store.invalidate_cache()
        listed = store.find(folder, detail=True)
    except FileNotFoundError:
        listed = {}
    except Exception as error:  # each store raises its own
        raise _unlisted(folder, error) from None
    found = {f"{scheme}://{key}": one for key, one in listed.items() if one["type"] == "file"}
    if not found:
        raise BadInput(f"data.images: {folder} does not exist or is empty. Give the folder of the class folders.")
    for path in sorted(found):
        name = path.removeprefix(below) if path.startswith(below) else path.rpartition("/")[2]
        # Some stores have an empty object for each folder.
        is_marker = found[path].get("Key", path).endswith("/")
        skipped = next(filter(None, map(Skipped.by_name, accumulate(name.split("/"), "{}/{}".format))), None)
        if skipped or not is_marker:
            yield skipped or _remote_file(path, name, found[path])


def _remote_file(path: str, name: str, about: Mapping[str, Any]) -> File:
    """Returns the file. Each store has its own name for the time of the last change.

    Some list it with milliseconds or in another time zone, but not for a single file. The ETag is the same in both.
    """
    changed = about.get("LastModified") or about.get("updated") or about.get("mtime")
    if isinstance(changed, datetime):
        changed = int(changed.timestamp())
    etag = str(about.get("ETag") or "").strip('"')
    return File(path, name, int(about["size"] or 0), etag or str(changed))


def _store(path: str) -> Any:
    """Returns fsspec's file system for the path. Environment variables say how to reach it."""
    import fsspec

    if is_refused(path):
        raise BadInput(f"data.images: {path} cannot be listed (it is not on this machine, in gs:// or in s3://)")
    try:
        return fsspec.filesystem(path.partition("://")[0])
    except (ValueError, ImportError) as error:
        raise _unlisted(path, error) from None


@contextmanager
def _store_errors(path: str) -> Iterator[None]:
    """Raises an OSError in place of the store's own errors."""
    try:
        yield
    except (OSError, BadInput):
        raise
    except Exception as error:
        raise OSError(_why(path, error)) from None


def _unlisted(path: str, error: Exception) -> BadInput:
    return BadInput(f"data.images: {path} cannot be listed ({_why(path, error)})")


def _why(path: str, error: Exception) -> str:
    """Returns the error as one line, with what to do if credentials are missing."""
    why = one_line(error).partition(": ")[2] or type(error).__name__
    variables = _CREDENTIALS.get(path.partition("://")[0])
    return f"{why}; set {variables}" if variables and "credential" in why.lower() else why
