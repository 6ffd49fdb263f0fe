"""api_path: a path that a function of the Python API was given, as text."""

from os import fsdecode
from typing import Any

from efficientmixnet.modules.exceptions import BadInput


def api_path(name: str, path: Any) -> str:
    """Returns the path as text.

    Args:
        name: The name of the argument.
        path: What was given: text, bytes or a path object.

    Raises:
        BadInput: It is something else.

    Example:
        >>> api_path("images", pathlib.Path("photos"))
        'photos'
    """
    try:
        return fsdecode(path)
    except TypeError:
        raise BadInput(f"{name}: is of type {type(path).__name__}; give a path, as text or as a path object") from None
