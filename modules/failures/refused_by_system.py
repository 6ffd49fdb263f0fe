"""refused_by_system: one line for an error of the operating system that the user can mend, such as a full disk."""

import errno
import os
from collections.abc import Mapping

from efficientmixnet.modules.text.printable import printable

NO_SPACE = os.strerror(errno.ENOSPC)
"""In the messages of Python and TensorFlow for a full disk."""

_PERMISSION = "change its permissions, or give a path that you can read and write"
_SPACE = "free some space, then run the command again"
_FILES = "raise the limit with `ulimit -n 4096`, then run the command again"
_CURES: Mapping[int, str] = {
    errno.EACCES: _PERMISSION,
    errno.EPERM: _PERMISSION,
    errno.EROFS: "give a path on a disk that can be written",
    errno.ENOSPC: _SPACE,
    errno.EDQUOT: _SPACE,
    errno.ENAMETOOLONG: "give a shorter path",
    errno.ELOOP: "give a path that is not a link to itself",
    errno.EMFILE: _FILES,
    errno.ENFILE: _FILES,
}


def refused_by_system(error: BaseException) -> str | None:
    """Returns the line to print, or None if the error has another cause, such as a mistake in this code.

    Example:
        >>> refused_by_system(PermissionError(13, "Permission denied", "a.png"))
        'a.png: Permission denied; change its permissions, or give a path that you can read and write'
    """
    if isinstance(error, FileNotFoundError) and not _has_current_folder():
        return "the current folder was deleted or moved; change to a folder that exists, with cd"
    if isinstance(error, OSError) and error.errno is not None and error.errno in _CURES:
        what = f"{printable(os.fsdecode(error.filename))}: " if isinstance(error.filename, str | bytes) else ""
        return f"{what}{os.strerror(error.errno)}; {_CURES[error.errno]}"
    if NO_SPACE in str(error):  # TensorFlow and pyarrow have their own exceptions
        return f"the disk is full ({NO_SPACE}); {_SPACE}"
    return None


def _has_current_folder() -> bool:
    try:
        return os.path.isdir(os.getcwd())
    except OSError:
        return False
