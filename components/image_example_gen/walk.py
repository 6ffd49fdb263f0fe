"""walk: lists all files below a folder of this machine. Nothing disappears: what cannot be listed is reported."""

import os
from collections.abc import Iterator
from pathlib import Path

from efficientmixnet.components.image_example_gen.entry import LeftOut
from efficientmixnet.components.image_example_gen.skipped import Skipped, is_output

Identity = tuple[int, int]  # device and inode


def walk(root: str) -> Iterator[str | LeftOut | Skipped]:
    """Yields the names of all files, relative to the folder. Links to files and folders are followed.

    Each folder is read once for a folder at the top. So a link cannot lead into a loop.

    Args:
        root: The folder.

    Raises:
        OSError: The folder itself cannot be listed.
    """
    above = {_identity(str(folder)) for folder in (Path(root).resolve(), *Path(root).resolve().parents)}
    listed: dict[tuple[str, Identity], str] = {}
    pending = [""]
    while pending:
        name = pending.pop()
        try:
            if name:
                identity = _identity(os.path.join(root, name))
                first = listed.setdefault((name.partition("/")[0], identity), name)
                if identity in above or first != name:
                    yield LeftOut(name, f"is a link to {'a folder above it' if identity in above else first}")
                    continue
            entries = _entries(os.path.join(root, name))
        except OSError as error:
            if not name:
                raise
            yield LeftOut(name, f"cannot be listed: {error.strerror}", is_folder=True)
            continue
        if name and is_output(frozenset(entry.name for entry in entries)):
            yield Skipped.as_output(name)
            continue
        folders = []
        for entry in entries:
            below = f"{name}/{entry.name}" if name else entry.name
            if skipped := Skipped.by_name(below):
                yield skipped
            elif _is_folder(entry):
                folders.append(below)
            else:
                yield below
        pending += reversed(folders)


def _entries(folder: str) -> list["os.DirEntry[str]"]:
    with os.scandir(folder) as entries:
        return sorted(entries, key=lambda entry: entry.name)


def _identity(path: str) -> Identity:
    status = os.stat(path)
    return status.st_dev, status.st_ino


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False  # It is reported as a file that cannot be read.
