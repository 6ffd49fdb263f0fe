"""ManifestRows: the rows of a CSV or JSON-lines file that names images and their labels."""

import csv
import io
import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from efficientmixnet.components.image_example_gen.files import is_refused, is_remote, open_file
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.files.csv_cells import from_cell
from efficientmixnet.modules.files.short_lines import short_lines
from efficientmixnet.modules.files.untrusted_json import parse_json

PATH, LABEL, SPLIT = "path", "label", "split"
"""The usual names of the columns."""

_JSON_LINES = (".jsonl", ".ndjson", ".json")
_HUGGING_FACE = "file_name"  # another usual name of the column of the image
_USUAL = frozenset({PATH, LABEL, SPLIT, _HUGGING_FACE})


class ManifestRows:
    """Reads the rows of a file that names images and their labels.

    Args:
        key: The key of the configuration that gives the file, for messages.
        file: The file.
        path: The column of the image.
        label: The column of the label.
        split: The column of the split; empty for a file without one, whose columns have the usual names.
    """

    def __init__(self, key: str, file: str, path: str = PATH, label: str = LABEL, split: str = "") -> None:
        self._key, self._file = key, file
        self.path, self.label, self.split = path, label, split

    def __iter__(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yields each row with its line number. The column of the image has its name in the file from then on.

        Raises:
            BadInput: The file cannot be read, or does not have the columns of image and label.
        """
        if is_refused(self._file):
            raise BadInput(f"{self._key}: {self._file} is not on this machine, in gs:// or in s3://. Copy it there.")
        if not is_remote(self._file) and not Path(self._file).is_file():
            there = "is a folder" if Path(self._file).is_dir() else "is not a file"
            what = there if Path(self._file).exists() else "does not exist"
            raise BadInput(
                f"{self._key}: {self._file} {what}. Give a CSV file with the columns {self.path} and {self.label}."
            )
        try:
            with io.TextIOWrapper(open_file(self._file), encoding="utf-8-sig", newline="") as file:
                lines = short_lines(file, f"{self._key}: {self._file}")
                yield from self._json_rows(lines) if is_json_lines(self._file) else self._csv_rows(lines)
        except UnicodeDecodeError:
            raise BadInput(f"{self._key}: {self._file} is not UTF-8. Save it as text in UTF-8.") from None
        except OSError as error:
            raise BadInput(f"{self._key}: {self._file} cannot be read ({error.strerror or error})") from None

    def _csv_rows(self, lines: Iterator[str]) -> Iterator[tuple[int, dict[str, Any]]]:
        rows = csv.DictReader(lines, strict=True, skipinitialspace=True)
        try:
            yield from self._checked_rows(rows)
        except csv.Error as error:
            line = rows.line_num + 1
            raise BadInput(
                f"{self._key}: {self._file}, line {line} is not CSV in UTF-8 ({error}). Separate values by commas, "
                "and close quotes."
            ) from None

    def _checked_rows(self, rows: "csv.DictReader[str]") -> Iterator[tuple[int, dict[str, Any]]]:
        header = rows.fieldnames or ()
        self.path, columns = usual_columns(header, self.path, self.label, self.split)
        rows.fieldnames = columns
        missing = {self.path, self.label} - set(columns)
        if missing:
            raise BadInput(
                f"{self._key}: {self._file} has no column {' and no column '.join(sorted(missing))}. Its first "
                f"line is {','.join(header)!r}; {self._right_header()}"
            )
        names = [name for name in columns if name]
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise BadInput(f"{self._key}: {self._file} has the column {twice!r} twice. Remove or rename one.")
        for row in rows:
            # The values under None are those after the last column. A value is None if the row has fewer.
            if any(value.strip() for value in row.pop(None, ())):
                raise BadInput(
                    f"{self._key}: {self._file}, line {rows.line_num} has more values than the header has columns; "
                    "put text with a comma in quotes"
                )
            yield rows.line_num, {name: from_cell(value) if value else value for name, value in row.items() if name}

    def _right_header(self) -> str:
        needed = f"{self.path},{self.label}"
        if not self.split:
            return f"it must have the columns {needed}, separated by commas."
        return (
            f"it must be {needed} or {needed},{self.split}, separated by commas. Name other columns in "
            "data.layout.image, data.layout.label and data.layout.split."
        )

    def _json_rows(self, lines: Iterator[str]) -> Iterator[tuple[int, dict[str, Any]]]:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row = parse_json(line)
            except ValueError as error:
                raise BadInput(
                    f"{self._key}: {self._file}, line {number} is not JSON ({error}). Write one object on each line."
                ) from None
            if isinstance(row, dict):
                self.path, columns = usual_columns(row, self.path, self.label, self.split)
                row = dict(zip(columns, row.values(), strict=True))
            if not isinstance(row, dict) or self.path not in row:
                example = json.dumps({self.path: "cat/1.jpg", self.label: "cat"})
                others = ", or name other columns in data.layout.image and data.layout.label" if self.split else ""
                raise BadInput(
                    f"{self._key}: {self._file}, line {number} has no {self.path!r}. Write lines such as {example}"
                    f"{others}."
                )
            yield number, row


def is_json_lines(file: str) -> bool:
    """Returns whether the file has JSON lines, by its name."""
    return file.lower().endswith(_JSON_LINES)


def usual_columns(columns: Collection[str], path: str, label: str, split: str = "") -> tuple[str, list[str]]:
    """Returns the column of the image, and all columns. Usual names are also found in another case, and with spaces.

    Args:
        columns: The columns as the file names them.
        path: The column of the image. For the usual name, Hugging Face's file_name is found too.
        label: The column of the label.
        split: The column of the split; empty for none.
    """
    folded = {column.strip().casefold() for column in columns}
    if path == PATH and PATH not in columns and _HUGGING_FACE in (columns if PATH in folded else folded):
        path = _HUGGING_FACE
    wanted = ({path, label, split} & _USUAL).difference(columns)
    return path, [usual if (usual := column.strip().casefold()) in wanted else column for column in columns]
