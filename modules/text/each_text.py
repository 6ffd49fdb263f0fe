"""each_text: changes all texts in a value of JSON."""

from collections.abc import Callable, Mapping
from typing import Any


def each_text(value: Any, change: Callable[[str], str]) -> Any:
    """Returns the value with every text in it changed, also the keys of mappings.

    Example:
        >>> each_text({"a": ["b", 1]}, str.upper)
        {'A': ['B', 1]}
    """
    if isinstance(value, Mapping):
        return {each_text(name, change): each_text(one, change) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [each_text(one, change) for one in value]
    return change(value) if isinstance(value, str) else value
