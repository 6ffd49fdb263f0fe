"""column_text: the value of a further column, such as that of a group, as text."""

import json
import math
from typing import Any

_MISSING = frozenset({"", "nan", "na", "n/a", "null", "none", "<na>"})


def column_text(value: Any) -> str:
    """Returns the value as text, and no text for a missing one.

    Missing numbers are nan in the tables of pandas, which also turn the whole numbers beside them into floats.

    Args:
        value: The value as the source holds it.

    Example:
        >>> column_text(7.0), column_text(float("nan")), column_text(" a "), column_text(True)
        ('7', '', 'a', 'true')
    """
    if isinstance(value, bytes):
        value = value.decode(errors="replace")
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value.strip() if isinstance(value, str) else json.dumps(value, default=str)


def is_missing(text: str) -> bool:
    """Returns whether the text is a missing value as tables write it.

    Example:
        >>> is_missing("NA"), is_missing("nan"), is_missing("Nadia")
        (True, True, False)
    """
    return text.casefold() in _MISSING
