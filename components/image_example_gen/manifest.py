"""Manifest: a CSV or JSON-lines file whose rows name an image, its label and further features."""

import posixpath
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import PurePath
from typing import Any

from efficientmixnet.components.image_example_gen.column_text import column_text
from efficientmixnet.components.image_example_gen.entry import Entry, LeftOut
from efficientmixnet.components.image_example_gen.files import File, is_refused, is_remote, join, list_files
from efficientmixnet.components.image_example_gen.label_names import LabelNames
from efficientmixnet.components.image_example_gen.layout import Layout
from efficientmixnet.components.image_example_gen.manifest_rows import LABEL, PATH, SPLIT, ManifestRows
from efficientmixnet.components.image_example_gen.named_files import ListedFiles, find_named
from efficientmixnet.components.image_example_gen.repeated_rows import RepeatedRows
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
        repeated: The rows that were read before, also of other manifests.
        data: The files of the data folder, with the manifest itself. If given, names are relative to the data folder,
            and files outside the folder of the manifest are left out.
    """

    def __init__(
        self,
        file: str,
        folder: str,
        layout: Layout,
        split_names: SplitNames,
        repeated: RepeatedRows,
        data: ListedFiles | None = None,
    ) -> None:
        self._folder, self._features, self._splits = folder, layout.features, split_names
        names = layout.image or PATH, layout.label or LABEL, layout.split or SPLIT
        self._rows = ManifestRows(repeated.key, file, *names)
        self._repeated, self._data = repeated, data
        self._label_names = LabelNames.read(layout.label_names)
        own = data.find(file) if data else None
        self._name = own.name if own else PurePath(file).name
        # One call lists all files of an object store. Looking each file up would cost a call each.
        remote = is_remote(folder) and not data
        self._listed = ListedFiles(file for file in list_files(folder) if isinstance(file, File)) if remote else None

    def images(self) -> Iterator[tuple[Entry, File] | LeftOut]:
        """Yields the image of each row, without repeated rows.

        Raises:
            BadInput: The file cannot be read, is not a manifest, or gives an image two splits, or its labels start at
                1, unlike their names.
        """
        for line, row in self._rows:
            if not any(map(column_text, row.values())):  # Spreadsheets write empty rows.
                continue
            where = f"{self._name}, line {line}"
            item = self._image(where, row)
            if isinstance(item, LeftOut):
                # Test images often come without labels. They too show that the column has splits.
                yield replace(item, split=column_text(row.get(self._rows.split)) or None)
                continue
            entry, file = item
            checked = self._repeated.checked(entry, where)
            if checked:
                yield (entry, file) if isinstance(checked, Entry) else checked
        self._label_names.check()

    def _image(self, where: str, row: dict[str, Any]) -> tuple[Entry, File] | LeftOut:
        written, split = self._path(row.get(self._rows.path)), column_text(row.get(self._rows.split))
        if not written:
            return LeftOut(where, "has no path")
        name = self._named_file(written)[0] if self._data else written
        known_split = self._splits.of_value(split) if split else None
        if split and not known_split:
            return LeftOut(name, f"{self._splits.unknown(split)} ({where})")
        try:
            label = self._label_names.name(row.get(self._rows.label))
        except BadLabel as error:
            raise BadInput(f"{self._repeated.key}: {where} {error}") from None
        if character := character_to_refuse(name, label, split):
            return LeftOut(name, f"has a character that is not text in its path, label or split ({character}, {where})")
        if is_refused(name):  # A manifest from outside cannot make this machine ask any server.
            return LeftOut(name, f"is not on this machine, in gs:// or in s3:// ({where})")
        if not label:
            reason = self._without_label(where, column_text(row.get(self._rows.label)))
            return LeftOut(name, reason, counts=known_split != TEST)  # Test images often come without labels.
        try:
            name, file = self._named_file(written)
        except OSError as error:
            return LeftOut(name, f"cannot be read: {error.strerror or error} ({where})")
        except BadInput as error:
            raise BadInput(f"{self._repeated.key}: {where}: {error}") from None
        if file is None:
            reason = f"is not a file in the folder of its metadata ({where}); data.manifest can name files elsewhere"
            return LeftOut(name, reason if self._data else f"does not exist ({where})")
        label = unicodedata.normalize("NFC", label)
        name = name if is_remote(name) else PurePath(name).as_posix()
        return Entry(file.path, name, label, known_split, self._columns(row)), file

    def _path(self, value: Any) -> str:
        """Returns a path as text, with spaces around it only if there is such a file."""
        text = column_text(value)
        if isinstance(value, str) and value != text and not is_remote(value):
            with suppress(OSError, BadInput):
                return value if self._named_file(value)[1] else text
        return text

    def _without_label(self, where: str, label: str) -> str:
        """Returns the reason why an image without a label is left out."""
        if label.isdecimal():
            return f"has the label {label}, which has no name in data.layout.label_names ({where})"
        return f"has no label ({where})" if not label else f"has no label: {label} ({where})"

    def _named_file(self, name: str) -> tuple[str, File | None]:
        """Returns the file of this name, and the name as the file system writes it."""
        path = join(self._folder, name)
        if self._data:
            above = posixpath.dirname(self._name)
            file = self._data.find(path)
            if file and file.name.startswith(posixpath.join(above, "")):
                return file.name, file
            return name if is_remote(name) else posixpath.normpath(posixpath.join(above, name)), None
        if self._listed and path.startswith(self._folder.rstrip("/") + "/"):
            file = self._listed.find(path)
            stored = file and (file.path if is_remote(name) else file.name)
            return stored or name, file
        return find_named(self._folder, name)

    def _columns(self, row: dict[str, Any]) -> tuple[tuple[str, str], ...]:
        known = (self._rows.path, self._rows.label, self._rows.split)
        names = self._features if self._features is not None else [name for name in row if name not in known]
        return tuple((name, column_text(row.get(name))) for name in names)
