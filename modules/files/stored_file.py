"""read_json and damage_named: read files that an earlier run has written, and name a file that is damaged."""

import json
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.failures.refused_by_system import refused_by_system

_LONGEST = 200  # characters of a reason
# What libraries raise for a file that is cut off, overwritten or empty, and our code for one that lacks a part.
DAMAGE: tuple[type[Exception], ...] = (
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    EOFError,
    RecursionError,
    zipfile.BadZipFile,
    zlib.error,
)


@contextmanager
def damage_named(file: str | Path, cure: str, *more: type[Exception]) -> Iterator[None]:
    """Turns the errors of a body that reads one file into BadInput.

    Args:
        file: The file, for the message.
        cure: What to do, for the message.
        *more: Other exceptions that the body raises for a damaged file.

    Raises:
        BadInput: The file is damaged, or the system does not let it be read.
    """
    try:
        yield
    except BadInput:
        raise
    except DAMAGE + more as error:
        if isinstance(error, OSError) and (refused := refused_by_system(error)):  # The file may be whole.
            raise BadInput(refused if error.filename else f"{file}: {refused}") from None
        raise BadInput(f"{file}: is damaged ({reason(error)}); {cure}") from error


def read_json(file: str | Path, cure: str, *keys: str) -> Any:
    """Returns the content of a JSON file.

    Args:
        file: The file.
        cure: What to do if it is damaged, for the message.
        *keys: The keys that the object in the file must have.

    Raises:
        BadInput: The file is missing or damaged, or lacks a key.
    """
    with damage_named(file, cure):
        found = json.loads(Path(file).read_text(encoding="utf-8"))
        for key in keys:
            if key not in found:
                raise KeyError(key)
    return found


def reason(error: BaseException) -> str:
    """Returns the exception as a few words on one line."""
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8"
    if isinstance(error, json.JSONDecodeError):
        return f"it is not JSON: {error}"
    if isinstance(error, KeyError):
        return f"it has no {error}"
    if isinstance(error, FileNotFoundError) and error.filename:
        return "it is missing"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    first = str(error).strip().partition("\n")[0]
    if type(error) is ValueError and first:
        return first[:_LONGEST]
    return f"{type(error).__name__}: {first[:_LONGEST]}" if first else type(error).__name__


def made_again(folder: str | Path) -> str:
    """Returns the cure for a damaged result: without its folder, the component runs again."""
    return f"delete {folder} and run the pipeline again"


def missing(result: str | Path) -> str:
    """Returns what is wrong with a run whose result is missing, and the cure."""
    return f"{result} is missing; run the pipeline again (efficientmixnet run), and give the new run"
