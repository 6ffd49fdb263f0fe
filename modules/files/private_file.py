"""make_private: files that may hold secrets can be read only by their owner."""

import os
from contextlib import suppress
from pathlib import Path

PRIVATE = 0o600


def make_private(file: Path) -> Path:
    """Creates the file unless it exists, lets only its owner read and write it, and returns it."""
    os.close(os.open(file, os.O_CREAT | os.O_WRONLY, PRIVATE))
    with suppress(PermissionError):  # the file of another user in a shared folder
        file.chmod(PRIVATE)
    return file
