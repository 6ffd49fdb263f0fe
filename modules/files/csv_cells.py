"""write_rows, to_cell and from_cell: CSV files with text from outside, which no spreadsheet runs as a formula.

The rule is OWASP's (https://owasp.org/www-community/attacks/CSV_Injection): text is quoted, and a ' is put before text
that starts with = + - @, their wide forms, a tab or the end of a line. Numbers stay as they are.
"""

import csv
import re
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

# Some programs skip spaces. A text that starts with ' and a formula gets another ', so that each text can be read back.
_FORMULA = re.compile("'*[ \u00a0]*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_ESCAPED = re.compile(f"'{_FORMULA.pattern}")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


class _Writable(Protocol):
    def write(self, text: str, /) -> Any: ...


def write_rows(file: _Writable, rows: Iterable[Sequence[object]]) -> None:
    """Writes rows to a CSV file that was opened with newline=""."""
    csv.writer(file, quoting=csv.QUOTE_NONNUMERIC).writerows(map(to_cell, row) for row in rows)


def to_cell(value: object) -> object:
    """Returns the value of a cell that shows this value.

    Example:
        >>> [to_cell(value) for value in ("=cmd()", "-0.5", -0.5, "cat")]
        ["'=cmd()", '-0.5', -0.5, 'cat']
    """
    is_formula = isinstance(value, str) and _FORMULA.match(value) and not _NUMBER.fullmatch(value)
    return f"'{value}" if is_formula else value


def from_cell(text: str) -> str:
    """Returns the text that `to_cell` made the cell from.

    Example:
        >>> from_cell("'=cmd()")
        '=cmd()'
    """
    return text[1:] if _ESCAPED.match(text) else text
