"""label_text: the label of an image as text. A label that is not a single class is refused."""

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Collection
from typing import Any

from efficientmixnet.modules.exceptions import BadLabel

# Each pattern takes linear time, since labels come from outside.
_NUMBERS = re.compile(r"[+-]?\.?\d[\d.]*([\s,;|]+[+-]?\.?\d[\d.]*)+")  # such as 16 0
_THOUSANDS = re.compile(r"[1-9]\d{0,2}((,\d{3})+|( \d{3})+)")  # one number, such as 10,000
_DECIMAL = re.compile(r"[+-]?(\d*[.,]0*[1-9]\d*(e[+-]?\d+)?|\d+(\.\d*)?e[+-]\d+)", re.IGNORECASE)
_PERCENT = re.compile(r"[+-]?(\d+([.,]\d+)?|[.,]\d+)\s*%")
_NEGATIVE = re.compile(r"-\d+(\.0*)?")
_MISSING = ("nan", "NaN", "<NA>")  # as pandas writes them; a class may be called None or NA
_CONTROL = ("Cc", "Zl", "Zp")  # Unicode's categories of control characters, and of line and paragraph separators
_SEPARATORS = ("|", ";", ",", "&", "+", "/", " and ")
_NEVER_IN_NAMES = "|;"
_RARE_IN_NAMES = "|;,"
_SHOWN = 40  # characters


def label_text(value: Any) -> str:
    """Returns the label, or no text if there is none.

    An empty label, the missing values of pandas and a negative number, which Hugging Face's datasets and others write
    for an image without a label, do not count as labels.

    Args:
        value: The label as the source holds it: text, bytes, a number, a list of one of these, or None.

    Raises:
        BadLabel: There are several labels, a decimal number or percentage, or text that is not one line of UTF-8.
    """
    if isinstance(value, (list, tuple)):
        if len(value) > 1:
            raise _several([_plain(one) for one in value])
        return label_text(value[0]) if value else ""
    if isinstance(value, dict):
        raise _several(list(map(str, value)))
    text = _plain(value).strip()
    if measure := _measure(text):
        raise BadLabel(
            f"has the label {text[:_SHOWN]}, {measure}. Labels are classes, as text or whole numbers. Regression is "
            "not supported."
        )
    if _is_list(text):
        raise BadLabel(f"has a list as its label ({_shown(text)}). One label per image is supported.")
    if any(unicodedata.category(one) in _CONTROL for one in text):
        raise BadLabel(
            f"has a label with a line break or control character ({_shown(text)}). A label is one line of text."
        )
    return "" if _NEGATIVE.fullmatch(text) or text in _MISSING else text


def combined_label(labels: Collection[str]) -> str | None:
    """Returns a label that lists other labels, such as "cat|dog" beside "cat" and "dog"; None if there is none."""
    known = set(labels)
    for label in sorted(known):
        if any(len(parts) > 1 and known.issuperset(parts) for parts in (_parts(label, one) for one in _SEPARATORS)):
            return label
    shuffled = (_shuffled_list(known, one) for one in _NEVER_IN_NAMES)
    tagged = (_tagged_label(known, one) for one in _RARE_IN_NAMES)
    return _list_of_words(known) or next(filter(None, (*shuffled, *tagged)), None)


def _list_of_words(known: set[str]) -> str | None:
    """Returns a label with spaces if each such label lists others. If one does not, names have spaces: hot dog."""
    spaced = sorted(label for label in known if len(label.split()) > 1)
    return spaced[0] if spaced and all(known.issuperset(label.split()) for label in spaced) else None


def _shuffled_list(known: set[str], separator: str) -> str | None:
    """Returns a label with a part that has another place in another label, such as B in A|B and B|C.

    In names of several levels, such as animal|cat and animal|dog, each part has its place.
    """
    places: dict[str, set[int]] = defaultdict(set)
    for label in known:
        for place, part in enumerate(_parts(label, separator)):
            places[part].add(place)
    lists = sorted(label for label in known if separator in label)
    return next((label for label in lists if any(len(places[part]) > 1 for part in _parts(label, separator))), None)


def _tagged_label(known: set[str], separator: str) -> str | None:
    """Returns a label with a part that is never alone, but stands beside several labels, as pet in cat|pet and dog|pet.

    Each label with several parts must have a part that is a label. Otherwise, these are names of several levels.
    """
    lists = {label: set(parts) for label in sorted(known) if len(parts := _parts(label, separator)) > 1}
    tags = Counter(tag for parts in lists.values() for tag in parts - known)
    if any(known.isdisjoint(parts) for parts in lists.values()):
        return None
    return next((label for label, parts in lists.items() if any(tags[part] > 1 for part in parts)), None)


def _parts(label: str, separator: str) -> list[str]:
    return [part.strip() for part in label.split(separator) if part.strip()]


def _measure(text: str) -> str:
    """Returns what the text is if it is a measure and no class, or no text."""
    if _PERCENT.fullmatch(text):
        return "a percentage"
    if _DECIMAL.fullmatch(text) or text in ("inf", "-inf"):
        return "a decimal number or a list of numbers" if "," in text else "a decimal number"
    return ""


def _is_list(text: str) -> bool:
    """Returns whether a list was written as text, by Python, NumPy, JSON or a database, or as numbers alone."""
    inside = text[1:-1].strip()
    match text[:1] + text[-1:]:
        case "[]":
            return any(one in inside for one in ",'\"") or bool(_NUMBERS.fullmatch(inside))
        case "{}":
            return any(one in inside for one in ",'\"")
        case "()":
            return "," in inside and (inside[0] in "'\"" or inside[0].isdecimal())
    return bool(_NUMBERS.fullmatch(text)) and not _THOUSANDS.fullmatch(text)


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
