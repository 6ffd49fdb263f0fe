"""Manifest: a CSV or JSON-lines file whose rows name an image, its label and further features."""

import csv
import io
import json
import unicodedata
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import Any

from efficientmixnet.components.image_example_gen.entry import Entry, LeftOut
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
from efficientmixnet.modules.exceptions import BadInput

_JSON_LINES = (".jsonl", ".ndjson", ".json")


class Manifest:
    """The images that a manifest names.

    Args:
        file: The manifest.
        folder: The folder that its paths are relative to.
        layout: The names of its columns.
        split_names: The splits of the configuration.
    """

    def __init__(self, file: str, folder: str, layout: Layout, split_names: frozenset[str]) -> None:
        self._file, self._folder, self._features, self._splits = file, folder, layout.features, split_names
        self._path, self._label = layout.image or "path", layout.label or "label"
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
                yield item
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
            what = "is a folder" if Path(self._file).is_dir() else "does not exist"
            raise BadInput(
                f"data.manifest: {self._file} {what}. Give a CSV file with the columns {self._path} and {self._label}."
            )
        try:
            with io.TextIOWrapper(open_file(self._file), encoding="utf-8-sig", newline="") as file:
                yield from self._json_rows(file) if self._file.endswith(_JSON_LINES) else self._csv_rows(file)
        except UnicodeDecodeError:
            raise BadInput(f"data.manifest: {self._file} is not UTF-8. Save it as CSV in UTF-8.") from None
        except csv.Error as error:
            raise BadInput(f"data.manifest: {self._file} is not CSV ({error})") from None
        except OSError as error:
            raise BadInput(f"data.manifest: {self._file} cannot be read ({error})") from None

    def _csv_rows(self, file: io.TextIOWrapper) -> Iterator[tuple[int, dict[str, Any]]]:
        rows = csv.DictReader(file)
        missing = {self._path, self._label} - set(rows.fieldnames or ())
        if missing:
            needed = f"{self._path},{self._label}"
            raise BadInput(
                f"data.manifest: {self._file} has no column {' and no column '.join(sorted(missing))}. Its first "
                f"line is {','.join(rows.fieldnames or ())!r}; it must be {needed} or {needed},{self._split}, "
                "separated by commas."
            )
        for row in rows:
            yield rows.line_num, {name: value for name, value in row.items() if name}  # None: more values than columns

    def _json_rows(self, file: io.TextIOWrapper) -> Iterator[tuple[int, dict[str, Any]]]:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except json.JSONDecodeError as error:
                raise BadInput(f"data.manifest: {self._file}, line {number} is not JSON ({error.msg})") from None
            if not isinstance(row, dict) or self._path not in row:
                example = json.dumps({self._path: "cat/1.jpg", self._label: "cat"})
                raise BadInput(
                    f"data.manifest: {self._file}, line {number} has no {self._path!r}. Write lines such as {example}."
                )
            yield number, row

    def _image(self, where: str, row: dict[str, Any]) -> tuple[Entry, File] | LeftOut:
        name, label, split = (_text(row.get(column)) for column in (self._path, self._label, self._split))
        if not name:
            return LeftOut(where, "has no path")
        if not label:
            return LeftOut(name, f"has no label ({where})")
        if not self._label_names.name(label):
            return LeftOut(name, f"has the label {label}, which has no name in data.layout.label_names ({where})")
        if split and split not in self._splits:
            return LeftOut(
                name, f"has the split {split!r}, which is not one of {', '.join(sorted(self._splits))} ({where})"
            )
        path = join(self._folder, name)
        if is_refused(path):
            return LeftOut(name, f"is not on this machine, in gs:// or in s3:// ({where})")
        file = self._file_at(path, name)
        if file is None:
            return LeftOut(name, f"does not exist ({where})")
        label = unicodedata.normalize("NFC", self._label_names.name(label))
        name = name if is_remote(name) else PurePath(name).as_posix()
        return Entry(path, name, label, split or None, self._columns(row)), file

    def _file_at(self, path: str, name: str) -> File | None:
        if self._listed is not None and path.startswith(self._folder.rstrip("/") + "/"):
            return self._listed.get(path)
        return find_file(path, name)

    def _columns(self, row: dict[str, Any]) -> tuple[tuple[str, str], ...]:
        known = (self._path, self._label, self._split)
        names = self._features if self._features is not None else [name for name in row if name not in known]
        return tuple((name, _text(row.get(name))) for name in names)


def _text(value: Any) -> str:
    return "" if value is None else value.strip() if isinstance(value, str) else json.dumps(value)
