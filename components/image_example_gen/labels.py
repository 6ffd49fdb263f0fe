"""label_text: the label of an image as text. A label that is not a single class is refused."""

import math
import re
import unicodedata
from collections.abc import Collection
from typing import Any

from efficientmixnet.modules.exceptions import BadLabel

_LIST = re.compile(r"\[.*[,'\"].*\]", re.DOTALL)  # a list that was written as text
_DECIMAL = re.compile(r"[+-]?(\d*\.\d*[1-9]\d*(e[+-]?\d+)?|\d+(\.\d*)?e[+-]\d+)", re.IGNORECASE)
_NEGATIVE = re.compile(r"-\d+(\.0*)?")
_CONTROL = ("Cc", "Zl", "Zp")  # Unicode's categories of control characters, and of line and paragraph separators
_SEPARATORS = "|;,"
_SHOWN = 40  # characters


def label_text(value: Any) -> str:
    """Returns the label, or no text if there is none.

    An empty label and a negative number, which Hugging Face's datasets and others write for an image without a label,
    do not count as labels.

    Args:
        value: The label as the source holds it: text, bytes, a number, a list of one of these, or None.

    Raises:
        BadLabel: There are several labels, a decimal number, or text that is not one line of UTF-8.
    """
    if isinstance(value, (list, tuple)):
        if len(value) > 1:
            raise _several([_plain(one) for one in value])
        return label_text(value[0]) if value else ""
    if isinstance(value, dict):
        raise _several(list(map(str, value)))
    text = _plain(value).strip()
    if _LIST.fullmatch(text):
        raise BadLabel(f"has a list as its label ({_shown(text)}). One label per image is supported.")
    if _DECIMAL.fullmatch(text) or text in ("inf", "-inf"):
        raise BadLabel(
            f"has the label {text}, a decimal number. Labels are classes, as text or whole numbers. Regression is not "
            "supported."
        )
    if any(unicodedata.category(one) in _CONTROL for one in text):
        raise BadLabel(
            f"has a label with a line break or control character ({_shown(text)}). A label is one line of text."
        )
    return "" if _NEGATIVE.fullmatch(text) else text


def combined_label(labels: Collection[str]) -> str | None:
    """Returns a label that lists other labels, such as "cat|dog" beside "cat" and "dog"; None if there is none."""
    known = set(labels)
    for label in sorted(known):
        for separator in _SEPARATORS:
            parts = [part.strip() for part in label.split(separator)]
            if len(parts) > 1 and known.issuperset(parts):
                return label
    return None


def _plain(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if not isinstance(value, bytes):
        return str(value)
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise BadLabel(f"has a label that is not UTF-8 ({_shown(value)}). A label is one line of text.") from None


def _several(labels: list[str]) -> BadLabel:
    return BadLabel(f"has {len(labels)} labels ({_shown(', '.join(labels))}). One label per image is supported.")


def _shown(value: str | bytes) -> str:
    return repr(value[:_SHOWN]) + ("..." if len(value) > _SHOWN else "")
