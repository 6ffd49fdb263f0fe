"""parse_json: reads JSON from outside. Every mistake is a ValueError with a short reason."""

import json
from typing import Any


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
        return json.loads(text, object_pairs_hook=_each_name_once)
    except json.JSONDecodeError as error:
        raise ValueError(error.msg) from None
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8") from None
    except RecursionError:
        raise ValueError("its lists or objects are nested too deep") from None
    except ValueError as error:
        raise ValueError("a number has too many digits" if "digits" in str(error) else str(error)) from None


def _each_name_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the name {twice!a} is given twice")
    return found
