"""walk: lists all files below a folder of this machine. Nothing disappears: what cannot be listed is reported."""

import os
from collections.abc import Iterator
from pathlib import Path

from efficientmixnet.components.image_example_gen.entry import LeftOut
from efficientmixnet.components.image_example_gen.skipped import Skipped, is_output


def walk(root: str) -> Iterator[str | LeftOut | Skipped]:
    """Yields the names of all files, relative to the folder. Links to files and folders are followed.

    Args:
        root: The folder.

    Raises:
        OSError: The folder itself cannot be listed.
    """
    seen = _Seen(root)
    pending = [""]
    while pending:
        name = pending.pop()
        try:
            repeated, entries = seen.repeats(name), _entries(os.path.join(root, name))
        except OSError as error:
            if not name:
                raise
            yield LeftOut(name, f"cannot be listed: {error.strerror}", is_folder=True)
            continue
        if repeated:
            yield LeftOut(name, repeated)
        elif name and is_output(frozenset(entry.name for entry in entries)):
            yield Skipped.as_output(name)
        else:
            folders = []
            for entry in entries:
                below = f"{name}/{entry.name}" if name else entry.name
                skipped = Skipped.by_name(below)
                if not skipped and _is_folder(entry):
                    folders.append(below)
                else:
                    yield skipped or below
            pending += reversed(folders)


class _Seen:
    """The folders that were read. A folder is read once for each folder at the top, so that no link leads into a loop.

    Args:
        root: The data folder.
    """

    def __init__(self, root: str) -> None:
        self._root = root
        real = Path(root).resolve()
        self._above = {_identity(str(folder)) for folder in (real, *real.parents)}
        self._first: dict[tuple[str, tuple[int, int]], str] = {}

    def repeats(self, name: str) -> str | None:
        """Returns the reason why the folder is not read, or None if it is read."""
        if not name:
            return None
        identity = _identity(os.path.join(self._root, name))
        if identity in self._above:
            return "is a link to a folder above it"
        first = self._first.setdefault((name.partition("/")[0], identity), name)
        return f"is the same folder as {first}" if first != name else None


def _entries(folder: str) -> list["os.DirEntry[str]"]:
    with os.scandir(folder) as entries:
        return sorted(entries, key=lambda entry: entry.name)


def _identity(path: str) -> tuple[int, int]:
    """Returns the device and the inode."""
    status = os.stat(path)
    return status.st_dev, status.st_ino


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False  # It is reported as a file that cannot be read.
