"""parse_json: reads JSON from outside. Every mistake is a ValueError with a short reason."""

import json
from collections.abc import Iterable
from typing import Any

_LEVELS = 100  # Python's own limit for JSON depends on its version.
_TOO_DEEP = "its lists or objects are nested too deep"


def parse_json(text: str | bytes) -> Any:
    """Returns the value of a JSON text.

    Raises:
        ValueError: The text is not JSON, a name is given twice, a number has thousands of digits, or lists or objects
            are nested too deep.

    Example:
        >>> parse_json('{"label": "cat"}')
        {'label': 'cat'}
    """
    try:
        value = json.loads(text, object_pairs_hook=_each_name_once)
    except json.JSONDecodeError as error:
        raise ValueError(error.msg) from None
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8") from None
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    except ValueError as error:
        raise ValueError("a number has too many digits" if "digits" in str(error) else str(error)) from None
    if _is_deep(value):
        raise ValueError(_TOO_DEEP)
    return value


def _is_deep(value: Any) -> bool:
    """Whether the value has more levels than any function that walks through it can take."""
    level = [value]
    for _ in range(_LEVELS):
        level = [child for one in level for child in _children(one)]
        if not level:
            return False
    return True


def _children(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _each_name_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the name {twice!a} is given twice")
    return found
