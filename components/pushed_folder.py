"""push: copies a model, as the newest version, into the folder that servers read."""

import shutil
import time
from collections.abc import Iterable
from pathlib import Path

from efficientmixnet.modules.exported_model import is_version
from efficientmixnet.modules.files.whole_file import remove_leftovers, whole_path


def push(saved_model: Path, folder: Path, known: Iterable[int] = ()) -> Path:
    """Copies the model next to the versions, checks the copy, and renames it. A version that exists is complete.

    Parts of an interrupted push are removed. Neither TensorFlow Serving nor this project takes them for a version.

    Args:
        saved_model: The model's folder.
        folder: The folder of the versions. It is made if it does not exist.
        known: Versions that were deleted. Their numbers are not used again.

    Returns:
        The folder of the new version. Its name is the time in seconds since 1970, or one more than the newest version.

    Raises:
        OSError: The model cannot be copied, or the copy is not complete.
    """
    folder.mkdir(parents=True, exist_ok=True)
    remove_leftovers(folder)
    taken = [int(child.name) for child in folder.iterdir() if is_version(child.name)]
    version = folder / str(max([int(time.time()), *(number + 1 for number in (*taken, *known))]))
    with whole_path(version) as part:
        shutil.copytree(saved_model, part)
        check_copy(sizes(saved_model), sizes(part), str(folder))
    return version


def sizes(folder: Path) -> dict[str, int]:
    """Returns the size in bytes of every file below the folder, by its relative path."""
    return {str(file.relative_to(folder)): file.stat().st_size for file in folder.rglob("*") if file.is_file()}


def check_copy(expected: dict[str, int], found: dict[str, int], place: str) -> None:
    """Raises OSError if a file of the copy is missing or has another size."""
    for name, size in expected.items():
        if found.get(name) != size:
            raise OSError(
                f"{place}: the copy of {name} has {found.get(name, 0)} of {size} bytes; run the command again"
            )
