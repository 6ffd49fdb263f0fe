"""explain_unexpected: turns an exception that nobody foresaw into one line, and keeps its traceback."""

import os
import tempfile
import traceback
from pathlib import Path

from efficientmixnet.modules.failures.missing_package import missing_package
from efficientmixnet.modules.text.printable import printable

_LONGEST = 500  # characters of the exception's own message


def explain_unexpected(error: BaseException, log: Path | None = None) -> str:
    """Writes the traceback to a log, and returns the line to print.

    Args:
        error: The exception.
        log: The log to append to. None: a new file in the folder for temporary files.

    Returns:
        The kind of the exception and its message, the path of the log, and the request to report it. For a missing
        package, the command that installs it.
    """
    if isinstance(error, ModuleNotFoundError) and (named := missing_package(error)) is not error:
        return str(named)
    try:
        kept = f"with the traceback in {_keep(error, log)}"
    except (OSError, MemoryError):
        kept = "with the traceback, which --verbose prints"
    return f"unexpected {one_line(error)}; please report it {kept}"


def one_line(error: BaseException) -> str:
    """Returns the kind of the exception and its message as one line.

    Example:
        >>> one_line(ValueError("the first line\\nand the second"))
        'ValueError: the first line and the second'
    """
    message = printable(" ".join(str(error).split()))
    if len(message) > _LONGEST:
        message = f"{message[:_LONGEST]}..."
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def _keep(error: BaseException, log: Path | None) -> Path:
    if log is None:
        descriptor, name = tempfile.mkstemp(prefix="efficientmixnet-", suffix=".log")
        os.close(descriptor)
        log = Path(name)
    with log.open("a", encoding="utf-8", errors="backslashreplace") as file:
        file.write("".join(traceback.format_exception(error)))
    return log
