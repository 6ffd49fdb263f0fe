"""Manifest: a CSV or JSON-lines file whose rows name an image, its label and further features."""

import os
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePath
from typing import Any

from efficientmixnet.components.image_example_gen.column_text import column_text
from efficientmixnet.components.image_example_gen.entry import Entry, LeftOut
from efficientmixnet.components.image_example_gen.files import (
    File,
    find_file,
    is_refused,
    is_remote,
    join,
    list_files,
)
from efficientmixnet.components.image_example_gen.label_names import LabelNames
from efficientmixnet.components.image_example_gen.layout import Layout
from efficientmixnet.components.image_example_gen.manifest_rows import LABEL, PATH, SPLIT, ManifestRows
from efficientmixnet.components.image_example_gen.split_names import TEST, SplitNames
from efficientmixnet.modules.exceptions import BadInput, BadLabel
from efficientmixnet.modules.text.character_to_refuse import character_to_refuse


class Manifest:
    """The images that a manifest names.

    Args:
        file: The manifest.
        folder: The folder that its paths are relative to.
        layout: The names of its columns.
        split_names: The names of splits.
        group: The column of the group; None for none.
    """

    def __init__(
        self, file: str, folder: str, layout: Layout, split_names: SplitNames, group: str | None = None
    ) -> None:
        self._file, self._folder, self._features, self._splits = file, folder, layout.features, split_names
        names = layout.image or PATH, layout.label or LABEL, layout.split or SPLIT
        self._rows = ManifestRows("data.manifest", file, *names)
        self._group = group
        self._label_names = LabelNames.read(layout.label_names)
        # One call lists all files of an object store. Looking each file up would cost a call each.
        remote = is_remote(folder)
        self._listed = {file.path: file for file in list_files(folder) if isinstance(file, File)} if remote else None

    def images(self) -> Iterator[tuple[Entry, File] | LeftOut]:
        """Yields the image of each row, without repeated rows.

        Raises:
            BadInput: The file cannot be read, is not a manifest, or gives an image two splits, or its labels start at
                1, unlike their names.
        """
        first: dict[str, tuple[Entry, int]] = {}  # by path, with the line
        for line, row in self._rows:
            if not any(map(column_text, row.values())):  # Spreadsheets write empty rows.
                continue
            where = f"{PurePath(self._file).name}, line {line}"
            item = self._image(where, row)
            if isinstance(item, LeftOut):
                # Test images often come without labels. They too show that the column has splits.
                yield replace(item, split=column_text(row.get(self._rows.split)) or None)
                continue
            entry, _ = item
            path = entry.path if is_remote(entry.path) else os.path.abspath(entry.path)
            before, its_line = first.setdefault(path, (entry, line))
            if before is entry:
                yield item
            elif before.split != entry.split:
                splits = " and ".join(
                    f"in {one.split or 'no split'} (line {number})"
                    for one, number in ((before, its_line), (entry, line))
                )
                raise BadInput(f"data.manifest: {self._file}: {entry.name} is {splits}. Remove one of the two rows.")
            elif difference := self._difference(before, entry):
                column, value = difference
                reason = f"is already listed with the {column} {value!r} ({where})"
                yield LeftOut(entry.name, reason, counts=column in ("label", self._group))
        self._label_names.check()

    def _difference(self, first: Entry, entry: Entry) -> tuple[str, str] | None:
        """Returns the column and the first value that a second row of an image does not have; None if it has all.

        Of several columns, those that training depends on come first. Others may differ: a table of objects has a row
        for each of them.
        """
        if first.label != entry.label:
            return "label", first.label
        before, now = dict(first.columns), dict(entry.columns)  # rows of JSON may have other keys
        others = [(name, before.get(name, "")) for name in before | now if before.get(name, "") != now.get(name, "")]
        return min(others, key=lambda one: one[0] != self._group, default=None)

    def _image(self, where: str, row: dict[str, Any]) -> tuple[Entry, File] | LeftOut:
        name, split = (column_text(row.get(column)) for column in (self._rows.path, self._rows.split))
        if not name:
            return LeftOut(where, "has no path")
        known_split = self._splits.of_value(split) if split else None
        if split and not known_split:
            return LeftOut(name, f"{self._splits.unknown(split)} ({where})")
        try:
            label = self._label_names.name(row.get(self._rows.label))
        except BadLabel as error:
            raise BadInput(f"data.manifest: {where} {error}") from None
        if character := character_to_refuse(name, label, split):
            return LeftOut(name, f"has a character that is not text in its path, label or split ({character}, {where})")
        if is_refused(name):  # A manifest from outside cannot make this machine ask any server.
            return LeftOut(name, f"is not on this machine, in gs:// or in s3:// ({where})")
        if not label:
            reason = self._without_label(where, column_text(row.get(self._rows.label)))
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
        known = (self._rows.path, self._rows.label, self._rows.split)
        names = self._features if self._features is not None else [name for name in row if name not in known]
        return tuple((name, column_text(row.get(name))) for name in names)
