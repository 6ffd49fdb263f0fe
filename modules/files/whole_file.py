"""whole_path, whole_file and write_text: write a file or folder under a temporary name, sync it, and rename it.

Readers find the old content or the new one, but never a part of it, even after a crash or on a full disk. Of several
processes that write one file at the same time, the last one wins.
"""

import errno
import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from efficientmixnet.modules.files.private_file import PRIVATE

Place = str | os.PathLike[str]
TEMPORARY_BYTES = 15  # that the name of a temporary folder is longer than the name of its file
_NOT_SYNCED = (errno.EINVAL, errno.ENOTSUP, errno.EACCES)  # some mounted file systems cannot sync a folder


@contextmanager
def whole_path(place: Place) -> Iterator[Path]:
    """Yields the path to write to. It is renamed to `place` if the body succeeds, and removed if it fails.

    Args:
        place: The file or folder to write. A file is replaced. A folder must not exist yet, or be empty.

    Raises:
        OSError: The disk is full, or the place cannot be written.
    """
    target = Path(os.path.realpath(place))
    if target.exists() and not target.is_file() and not target.is_dir():
        yield target  # a device such as /dev/null, or a pipe, which a rename would replace
        return
    remove_leftovers(target.parent, target.name)
    with _own_folder(target) as folder:
        part = folder / f"{target.name}.part"
        yield part
        _sync_all(part)
        part.replace(target)
    _sync(target.parent)


@contextmanager
def whole_file(place: Place, mode: str = "w", private: bool = False, **options: Any) -> Iterator[IO[Any]]:
    """Yields an open file. It is renamed to `place` if the body succeeds, and removed if it fails.

    The file has the permissions of the file that it replaces.

    Args:
        place: The file to write.
        mode: The mode for `open`.
        private: Whether only the owner can read the file.
        **options: More arguments of `open`.

    Raises:
        OSError: The disk is full, or the place cannot be written.
    """
    with whole_path(place) as part:
        before = os.stat(place).st_mode & 0o777 if os.path.exists(place) else 0o666
        part.touch(PRIVATE if private else before)
        with part.open(mode, **options) as file:
            yield file


def write_text(place: Place, text: str, private: bool = False) -> None:
    """Writes a text file in UTF-8.

    Args:
        place: The file to write.
        text: The text.
        private: Whether only the owner can read the file.

    Raises:
        OSError: The disk is full, or the place cannot be written.
    """
    with whole_file(place, private=private, encoding="utf-8") as file:
        file.write(text)


def remove_leftovers(folder: Path, name: str | None = None) -> None:
    """Removes what killed processes have left in a folder. What is being written stays.

    Args:
        folder: The folder.
        name: The name of the file or folder that they were writing; None: any.
    """
    # Earlier versions wrote to .NAME.part.
    pattern = re.compile(rf"\.{'.+' if name is None else re.escape(name)}(\.[a-z0-9_]{{8}})?\.part", re.DOTALL)
    with suppress(OSError):
        for child in [child for child in folder.iterdir() if pattern.fullmatch(child.name)]:
            with suppress(OSError), _opened(child) as descriptor:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails if the writer is alive
                _remove(child)


@contextmanager
def _own_folder(target: Path) -> Iterator[Path]:
    """Yields a new hidden folder next to the target. Its lock shows other processes that this one is alive."""
    with ExitStack() as stack:
        while True:
            folder = Path(tempfile.mkdtemp(".part", f".{target.name}.", target.parent))
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            with suppress(FileNotFoundError):
                descriptor = stack.enter_context(_opened(folder))
                with suppress(OSError):  # a file system without locks
                    fcntl.flock(descriptor, fcntl.LOCK_SH)
                if folder.exists():  # Until it is locked, another process may take it for a leftover.
                    break
        yield folder


@contextmanager
def _opened(place: Path) -> Iterator[int]:
    descriptor = os.open(place, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _remove(place: Path) -> None:
    """Removes a file or a folder, if it exists."""
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)


def _sync_all(place: Path) -> None:
    if place.is_dir():
        for child in place.iterdir():
            _sync_all(child)
    _sync(place)


def _sync(place: Path) -> None:
    try:
        with _opened(place) as descriptor:
            os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NOT_SYNCED:
            raise
