"""Manifest: a CSV or JSON-lines file whose rows name an image, its label and further features."""

import csv
import io
import json
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path, PurePath
from typing import Any

from efficientmixnet.components.image_example_gen.column_text import column_text
from efficientmixnet.components.image_example_gen.entry import Entry, LeftOut, character_to_refuse
from efficientmixnet.components.image_example_gen.files import (
    File,
    find_file,
    is_refused,
    is_remote,
    join,
    list_files,
    open_file,
)
from efficientmixnet.components.image_example_gen.layout import LabelNames, Layout
from efficientmixnet.components.image_example_gen.split_names import TEST, SplitNames
from efficientmixnet.modules.exceptions import BadInput, BadLabel
from efficientmixnet.modules.files.csv_cells import from_cell
from efficientmixnet.modules.files.untrusted_json import parse_json

_JSON_LINES = (".jsonl", ".ndjson", ".json")
_PATH, _HUGGING_FACE = "path", "file_name"  # usual names of the column of the image
_USUAL = frozenset({_PATH, "label", "split"})


class Manifest:
    """The images that a manifest names.

    Args:
        file: The manifest.
        folder: The folder that its paths are relative to.
        layout: The names of its columns.
        split_names: The names of splits.
    """

    def __init__(self, file: str, folder: str, layout: Layout, split_names: SplitNames) -> None:
        self._file, self._folder, self._features, self._splits = file, folder, layout.features, split_names
        self._path, self._label = layout.image or _PATH, layout.label or "label"
        self._split = layout.split or "split"
        self._label_names = LabelNames.read(layout.label_names)
        # One call lists all files of an object store. Looking each file up would cost a call each.
        remote = is_remote(folder)
        self._listed = {file.path: file for file in list_files(folder) if isinstance(file, File)} if remote else None

    def images(self) -> Iterator[tuple[Entry, File] | LeftOut]:
        """Yields the image of each row, without repeated rows.

        Raises:
            BadInput: The file cannot be read, or is not a manifest.
        """
        first: dict[str, Entry] = {}  # by path
        for line, row in self._rows():
            where = f"{PurePath(self._file).name}, line {line}"
            item = self._image(where, row)
            if isinstance(item, LeftOut):
                # Test images often come without labels. They too show that the column has splits.
                yield replace(item, split=column_text(row.get(self._split)) or None)
                continue
            entry, _ = item
            if entry != first.setdefault(entry.path, entry):
                before = first[entry.path].label
                reason = f"is already listed with the label {before!r} ({where})"
                yield LeftOut(entry.name, reason, counts=before != entry.label)
            elif entry is first[entry.path]:
                yield item

    def _rows(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yields each row with its line number."""
        if not is_remote(self._file) and not Path(self._file).is_file():
            there = "is a folder" if Path(self._file).is_dir() else "is not a file"
            what = there if Path(self._file).exists() else "does not exist"
            raise BadInput(
                f"data.manifest: {self._file} {what}. Give a CSV file with the columns {self._path} and {self._label}."
            )
        try:
            with io.TextIOWrapper(open_file(self._file), encoding="utf-8-sig", newline="") as file:
                yield from self._json_rows(file) if self._file.endswith(_JSON_LINES) else self._csv_rows(file)
        except UnicodeDecodeError:
            raise BadInput(f"data.manifest: {self._file} is not UTF-8. Save it as text in UTF-8.") from None
        except OSError as error:
            raise BadInput(f"data.manifest: {self._file} cannot be read ({error.strerror or error})") from None

    def _csv_rows(self, file: io.TextIOWrapper) -> Iterator[tuple[int, dict[str, Any]]]:
        rows = csv.DictReader(file, strict=True)
        try:
            yield from self._checked_rows(rows)
        except csv.Error as error:
            line = rows.line_num + 1
            raise BadInput(
                f"data.manifest: {self._file}, line {line} is not CSV in UTF-8 ({error}). Separate values by commas, "
                "and close quotes."
            ) from None

    def _checked_rows(self, rows: "csv.DictReader[str]") -> Iterator[tuple[int, dict[str, Any]]]:
        header = rows.fieldnames or ()
        self._path = image_column(self._path, header)
        rows.fieldnames = columns = self._with_usual_names(header)
        missing = {self._path, self._label} - set(columns)
        if missing:
            needed = f"{self._path},{self._label}"
            raise BadInput(
                f"data.manifest: {self._file} has no column {' and no column '.join(sorted(missing))}. Its first "
                f"line is {','.join(header)!r}; it must be {needed} or {needed},{self._split}, "
                "separated by commas. Name other columns in data.layout.image, data.layout.label and data.layout.split."
            )
        names = [name for name in columns if name]
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise BadInput(f"data.manifest: {self._file} has the column {twice!r} twice. Remove or rename one.")
        for row in rows:
            # The values under None are those after the last column. A value is None if the row has fewer.
            if any(value.strip() for value in row.pop(None, ())):
                raise BadInput(
                    f"data.manifest: {self._file}, line {rows.line_num} has more values than the header has columns; "
                    "put text with a comma in quotes"
                )
            yield rows.line_num, {name: from_cell(value) if value else value for name, value in row.items() if name}

    def _with_usual_names(self, columns: Collection[str]) -> list[str]:
        """Returns the columns. The usual names are also found in another case, and with spaces around them."""
        wanted = ({self._path, self._label, self._split} & _USUAL).difference(columns)
        return [usual if (usual := column.strip().casefold()) in wanted else column for column in columns]

    def _json_rows(self, file: io.TextIOWrapper) -> Iterator[tuple[int, dict[str, Any]]]:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                row = parse_json(line)
            except ValueError as error:
                raise BadInput(
                    f"data.manifest: {self._file}, line {number} is not JSON ({error}). Write one object on each line."
                ) from None
            if isinstance(row, dict):
                self._path = image_column(self._path, row)
                row = dict(zip(self._with_usual_names(row), row.values(), strict=True))
            if not isinstance(row, dict) or self._path not in row:
                example = json.dumps({self._path: "cat/1.jpg", self._label: "cat"})
                raise BadInput(
                    f"data.manifest: {self._file}, line {number} has no {self._path!r}. Write lines such as {example}, "
                    "or name other columns in data.layout.image and data.layout.label."
                )
            yield number, row

    def _image(self, where: str, row: dict[str, Any]) -> tuple[Entry, File] | LeftOut:
        name, split = (column_text(row.get(column)) for column in (self._path, self._split))
        if not name:
            return LeftOut(where, "has no path")
        known_split = self._splits.of_value(split) if split else None
        if split and not known_split:
            return LeftOut(name, f"{self._splits.unknown(split)} ({where})")
        try:
            label = self._label_names.name(row.get(self._label))
        except BadLabel as error:
            raise BadInput(f"data.manifest: {where} {error}") from None
        if character := character_to_refuse(name, label, split):
            return LeftOut(name, f"has a character that is not text in its path, label or split ({character}, {where})")
        if is_refused(name):  # A manifest from outside cannot make this machine ask any server.
            return LeftOut(name, f"is not on this machine, in gs:// or in s3:// ({where})")
        if not label:
            reason = self._without_label(where, column_text(row.get(self._label)))
            return LeftOut(name, reason, counts=known_split != TEST)  # Test images often come without labels.
        try:
            name, file = self._named_file(name)
        except OSError as error:
            return LeftOut(name, f"cannot be read: {error.strerror or error} ({where})")
        except BadInput as error:
            raise BadInput(f"data.manifest: {where}: {error}") from None
        if file is None:
            return LeftOut(name, f"does not exist ({where})")
        label = unicodedata.normalize("NFC", label)
        name = name if is_remote(name) else PurePath(name).as_posix()
        return Entry(file.path, name, label, known_split, self._columns(row)), file

    def _without_label(self, where: str, label: str) -> str:
        """Returns the reason why an image without a label is left out."""
        if label.isdecimal():
            return f"has the label {label}, which has no name in data.layout.label_names ({where})"
        return f"has no label ({where})" if not label else f"has no label: {label} ({where})"

    def _named_file(self, name: str) -> tuple[str, File | None]:
        """Returns the file of this name. File systems and programs write accents in different forms (NFC and NFD)."""
        forms = name, unicodedata.normalize("NFC", name), unicodedata.normalize("NFD", name)
        for form in dict.fromkeys(forms):
            if file := self._file_at(join(self._folder, form), form):
                return form, file
        return name, None

    def _file_at(self, path: str, name: str) -> File | None:
        if self._listed is not None and path.startswith(self._folder.rstrip("/") + "/"):
            return self._listed.get(path)
        return find_file(path, name)

    def _columns(self, row: dict[str, Any]) -> tuple[tuple[str, str], ...]:
        known = (self._path, self._label, self._split)
        names = self._features if self._features is not None else [name for name in row if name not in known]
        return tuple((name, column_text(row.get(name))) for name in names)


def image_column(name: str, columns: Collection[str]) -> str:
    """Returns the column of the image: the one of this name, or else Hugging Face's file_name."""
    return _HUGGING_FACE if name == _PATH and name not in columns and _HUGGING_FACE in columns else name
