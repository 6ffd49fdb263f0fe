"""Corrections: a list of images with their right labels, such as a relabel list that a person has corrected."""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import PurePath, PurePosixPath

from efficientmixnet.components.image_example_gen.column_text import column_text
from efficientmixnet.components.image_example_gen.entry import Entry, LeftOut
from efficientmixnet.components.image_example_gen.files import is_remote
from efficientmixnet.components.image_example_gen.labels import label_text
from efficientmixnet.components.image_example_gen.manifest_rows import ManifestRows
from efficientmixnet.components.image_example_gen.split_names import TRAIN
from efficientmixnet.modules.exceptions import BadInput, BadLabel
from efficientmixnet.modules.text.character_to_refuse import character_to_refuse
from efficientmixnet.modules.text.secrets import mask, mask_urls

KEY = "data.corrections"
_SHOWN = 5  # labels in a message


@dataclass(frozen=True, slots=True)
class Correction:
    """A row of the list.

    Args:
        name: The name of the image.
        label: Its right label; empty to leave the image out.
        line: The number of the line.
    """

    name: str
    label: str
    line: int


@dataclass(frozen=True)
class Corrected:
    """The images with their right labels.

    Args:
        entries: The images.
        removed: The images without a label. They count when the others are divided into splits.
        note: The number of images that were corrected, in words.
    """

    entries: tuple[Entry, ...]
    removed: tuple[Entry, ...]
    note: str

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """The removed images, for left_out.csv."""
        reason = f"has no label in {KEY}"
        return tuple(LeftOut(entry.name, reason, counts=False, split=entry.split) for entry in self.removed)

    def fingerprint(self, of_data: str) -> str:
        """Returns a hash that changes with the data's own fingerprint and with every label that is not the data's."""
        changed = [(entry.name, entry.label) for entry in self.entries if entry.original is not None]
        removed = [entry.name for entry in self.removed]
        return sha256(f"{of_data}{changed}{removed}".encode()).hexdigest() if changed or removed else of_data


class Corrections:
    """The rows of a list of corrections.

    Args:
        file: The list.
        rows: Its rows, by the name of the image.
    """

    def __init__(self, file: str, rows: Mapping[str, Correction]) -> None:
        self._file, self._rows = file, rows

    @classmethod
    def read(cls, file: str) -> "Corrections":
        """Reads a CSV or JSON-lines file with the columns path and label.

        Raises:
            BadInput: The file cannot be read, a label is not a single class, or an image has two labels.
        """
        rows: dict[str, Correction] = {}
        columns = ManifestRows(KEY, file)
        for line, values in columns:
            where = f"{KEY}: {file}, line {line}"
            path, value = values.get(columns.path), values.get(columns.label)
            # A name may begin or end with spaces.
            name = mask_urls(path if isinstance(path, str) and path.strip() else column_text(path))
            if not name and not column_text(value):  # Spreadsheets write empty rows.
                continue
            if not name:
                raise BadInput(f"{where} has no path. Give the name of the image, or remove the row.")
            if value is None:
                raise BadInput(f"{where} has no label. Give one, or an empty text to leave the image out.")
            try:
                label = mask_urls(unicodedata.normalize("NFC", label_text(value)))
            except BadLabel as error:
                raise BadInput(f"{where} {error}") from None
            if character := character_to_refuse(name, label):
                raise BadInput(f"{where} has a character that is not text in its path or label ({character}).")
            row = Correction(name, label, line)
            _refuse_two_labels(file, rows.setdefault(name, row), row)
        return cls(file, rows)

    def apply(self, entries: Sequence[Entry], left_out: Iterable[LeftOut] = ()) -> Corrected:
        """Gives the images of the list their labels.

        Args:
            entries: The images, with the labels of the data.
            left_out: The files that are not used.

        Raises:
            BadInput: The list names an image that the data does not have, or leaves all images out.
        """
        found = self._found(entries, left_out)
        corrected: list[Entry] = []
        removed: list[Entry] = []
        for entry in entries:
            row = found.get(entry.name)
            if row is None or row.label == entry.label:
                corrected.append(entry)
            elif row.label:
                corrected.append(replace(entry, label=row.label, original=entry.label))
            else:
                removed.append(entry)
        if not corrected:
            raise BadInput(f"{KEY}: {self._file} leaves all images out. Give them labels.")
        return Corrected(tuple(corrected), tuple(removed), self._note(corrected, removed))

    def _found(self, entries: Sequence[Entry], left_out: Iterable[LeftOut]) -> dict[str, Correction]:
        """Returns the row of each image that has one, by the image's name."""
        found = {entry.name: self._rows[entry.name] for entry in entries if entry.name in self._rows}
        others = [row for name, row in self._rows.items() if name not in found]
        forms = _by_form(entries) if others else {}
        lost = [row for row in others if len(forms.get(_form(row.name), ())) != 1]
        if lost:
            raise self._unknown(lost, entries[0].name, {item.name: item.reason for item in left_out})
        for row in others:
            (name,) = forms[_form(row.name)]
            _refuse_two_labels(self._file, found.setdefault(name, row), row)
        return found

    def _unknown(self, lost: Sequence[Correction], example: str, reasons: Mapping[str, str]) -> BadInput:
        first, number = lost[0], len(lost) - 1
        reason = f" ({first.name} {reasons[first.name]})" if first.name in reasons else ""
        more = f"; neither are those of {_count(number, 'other row')}" if number else ""
        return BadInput(
            f"{KEY}: {self._file}, line {first.line}: {first.name!r} is not an image of the data{reason}{more}. "
            f"Give names as relabel.csv and the report write them, such as {example!r}."
        )

    def _note(self, corrected: Iterable[Entry], removed: Sequence[Entry]) -> str:
        changed = [entry for entry in corrected if entry.original is not None]
        name = PurePath(self._file).name
        without = f" and leaves out {_count(len(removed), 'image')}" if removed else ""
        return f"{name} changes {_count(len(changed), 'label')}{without}"


def _refuse_two_labels(file: str, first: Correction, second: Correction) -> None:
    if first.label != second.label:
        raise BadInput(
            f"{KEY}: {file}, line {second.line} gives {second.name!r} the label {second.label!r}, and line {first.line}"
            f" the label {first.label!r}. Remove one of them."
        )


def _by_form(entries: Iterable[Entry]) -> dict[str, list[str]]:
    """Returns the names of the images by their form."""
    forms: dict[str, list[str]] = {}
    for entry in entries:
        forms.setdefault(_form(entry.name), []).append(entry.name)
    return forms


def _form(name: str) -> str:
    """Returns the name as a relabel list writes it, without secrets or spaces around it, and in one form of Unicode."""
    plain = name.strip() if is_remote(name) else PurePosixPath(name.strip()).as_posix()
    return mask(unicodedata.normalize("NFC", plain))


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def check_corrected(file: str, entries: Iterable[Entry]) -> None:
    """Checks that the new labels can be learned. A mistyped label would be a class without training images.

    Args:
        file: The list of corrections.
        entries: The images with their right labels and splits.

    Raises:
        BadInput: No training image has a new label.
    """
    corrected, trained = [], set()
    for entry in entries:
        if entry.split == TRAIN:
            trained.add(entry.label)
        if entry.original is not None:
            corrected.append(entry)
    for entry in corrected:
        if trained and entry.label not in trained:
            raise BadInput(
                f"{KEY}: {file} gives {entry.name!r} the label {entry.label!r}, which no training image has. The "
                f"labels are {_few(sorted(trained))}."
            )


def _few(labels: Sequence[str]) -> str:
    return ", ".join(labels[:_SHOWN]) + (f" and {len(labels) - _SHOWN:,} more" if len(labels) > _SHOWN else "")
