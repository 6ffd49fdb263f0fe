"""short_path: a path as people type it."""

from contextlib import suppress
from pathlib import Path


def short_path(path: str) -> str:
    """Returns the path relative to the current folder if it is below it, and otherwise the path itself.

    Args:
        path: An absolute path.
    """
    with suppress(ValueError, OSError):  # It is elsewhere, or the current folder is gone.
        relative = str(Path(path).relative_to(Path.cwd()))
        return path if relative.startswith("-") else relative  # A command would take it for an option.
    return path
