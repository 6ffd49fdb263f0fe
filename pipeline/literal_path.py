"""literal_path: a path that TensorFlow and TFMA do not take for a pattern."""

import glob
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def literal_path(folder: str | Path) -> Iterator[Path]:
    """Yields the folder, or a temporary link to it if its path has one of * ? [, which they would expand.

    Args:
        folder: A folder that is read in the body.
    """
    if glob.escape(str(folder)) == str(folder):
        yield Path(folder)
        return
    with tempfile.TemporaryDirectory(prefix="efficientmixnet-") as place:
        link = Path(place, "folder")
        link.symlink_to(os.path.abspath(folder))
        yield link
