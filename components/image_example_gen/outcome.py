"""Outcome: the result of reading all images, written as one JSON line for each shard and group of duplicates."""

import base64
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass

import numpy as np
import tensorflow as tf

from efficientmixnet.components.image_example_gen.entry import Entry, LeftOut
from efficientmixnet.components.image_example_gen.findings import Copy, Duplicates
from efficientmixnet.components.image_example_gen.near_duplicates import HASH_BYTES, near_duplicates, perceptual_hash
from efficientmixnet.components.image_example_gen.sources import name_hash
from efficientmixnet.components.image_example_gen.tables import DUPLICATES_FILE, LEFT_OUT_FILE, NEAR_DUPLICATES_FILE
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.files.csv_cells import write_rows
from efficientmixnet.modules.files.whole_file import whole_file, write_text

CLASS_COUNTS_FILE = "class_counts.json"  # in the artifact's folder: images by split and label


_NAME_BYTES = 8


def shard(split: str, labels: Mapping[str, int], left_out: Iterable[LeftOut], grays: Mapping[str, bytes]) -> str:
    """Returns the line for a shard. `grays` has the gray pixels of images by name, for the perceptual hash."""
    looks = b"".join(_name_bytes(name) + perceptual_hash(gray) for name, gray in grays.items())
    line = {"split": split, "labels": labels, "left_out": [astuple(item) for item in left_out]}
    return json.dumps({**line, "looks": base64.b64encode(looks).decode()})


def _name_bytes(name: str) -> bytes:
    return name_hash(name).to_bytes(_NAME_BYTES, "big")


def duplicates(_: bytes, copies: Iterable[tuple[str, str, str]]) -> Iterator[str]:
    """Yields the line for several images with the same bytes. Each copy has the fields of a Copy."""
    group = sorted(copies)
    if len(group) > 1:
        yield json.dumps({"same": group})


@dataclass(frozen=True)
class Outcome:
    """The result of reading all images.

    Args:
        counts: The number of images read, by split and label.
        left_out: The files that are not used, sorted by name.
        duplicates: The images with the same bytes.
        near_duplicates: The images in several splits that look the same.
    """

    counts: Mapping[str, Counter[str]]
    left_out: tuple[LeftOut, ...]
    duplicates: Duplicates
    near_duplicates: Duplicates

    @classmethod
    def read(cls, file: str, left_out: Iterable[LeftOut], entries: Iterable[Entry] = ()) -> "Outcome":
        """Reads the lines.

        Args:
            file: The file of lines.
            left_out: Files that were left out before any image was read.
            entries: All images.
        """
        counts: dict[str, Counter[str]] = {}
        all_left_out, groups = list(left_out), []
        looks: dict[str, bytearray] = {}  # by split
        with tf.io.gfile.GFile(file) as lines:
            for line in map(json.loads, lines):
                if "same" in line:
                    groups.append(tuple(Copy(*copy) for copy in line["same"]))
                else:
                    counts.setdefault(line["split"], Counter()).update(line["labels"])
                    looks.setdefault(line["split"], bytearray()).extend(base64.b64decode(line["looks"]))
                    all_left_out += (LeftOut(*item) for item in line["left_out"])
        all_left_out.sort(key=lambda item: item.name)
        groups.sort(key=lambda group: group[0].name)
        exact = Duplicates(tuple(groups))
        return cls(counts, tuple(all_left_out), exact, _near_duplicates(looks, entries).without(exact))

    @property
    def read_count(self) -> int:
        """The number of images read."""
        return sum(labels.total() for labels in self.counts.values())

    def write_tables(self, folder: str) -> None:
        """Writes the files left out, the number of images of each class, and the duplicates if there are any."""
        write_text(f"{folder}/{CLASS_COUNTS_FILE}", json.dumps(self.counts, ensure_ascii=False, sort_keys=True))
        _write(f"{folder}/{LEFT_OUT_FILE}", [("file", "reason"), *(item.row() for item in self.left_out)])
        if self.duplicates.groups:
            _write(f"{folder}/{DUPLICATES_FILE}", self.duplicates.rows())
        if self.near_duplicates.groups:
            _write(f"{folder}/{NEAR_DUPLICATES_FILE}", self.near_duplicates.rows())

    def stop_if_too_many_are_left_out(self, data: str, max_left_out: float) -> None:
        """Raises BadInput if a larger fraction of the images than `max_left_out` could not be read.

        Nobody knows how many images a folder has that cannot be listed. It counts as many as a class has on average.
        """
        bad = sorted((item for item in self.left_out if item.counts), key=lambda item: not item.is_folder)
        count = sum(self._mean_class() if item.is_folder else item.images for item in bad)
        seen = self.read_count + count
        if count > max_left_out * seen:
            examples = "; ".join(f"{item.name} {item.reason}" for item in bad[:3])
            raise BadInput(
                f"{data}: {count} of {seen} images ({count / seen:.1%}) cannot be used, more than the "
                f"{max_left_out:.1%} that data.max_left_out allows. The first are: {examples}. "
                "Fix or remove them (the run's left_out.csv lists all), or raise data.max_left_out.",
                [item.row() for item in self.left_out],
            )

    def _mean_class(self) -> int:
        labels = set().union(*self.counts.values())
        return max(1, round(self.read_count / max(1, len(labels))))

    def stop_if_a_split_is_empty(self, where: str, splits: Iterable[str]) -> None:
        """Raises BadInput if a split has no image."""
        for split in splits:
            if not self.counts.get(split):
                raise BadInput(
                    f"{where}: the split {split!r} has no image. Add images, raise its fraction in data.splits, "
                    "or name splits in a manifest.",
                    [item.row() for item in self.left_out],
                )

    def stop_if_one_class_is_left(self, where: str) -> None:
        """Raises BadInput if the images of all classes but one cannot be read."""
        labels = set().union(*self.counts.values())
        if len(labels) == 1:
            raise BadInput(
                f"{where}: only the class {labels.pop()!r} has images that can be read. A classifier needs two or more "
                "classes. The run's left_out.csv lists the other files.",
                [item.row() for item in self.left_out],
            )


def _near_duplicates(looks: Mapping[str, bytearray], entries: Iterable[Entry]) -> Duplicates:
    """Returns the images that look the same, from the names' hashes and perceptual hashes of each split."""
    table = np.frombuffer(b"".join(looks.values()), np.uint8).reshape(-1, _NAME_BYTES + HASH_BYTES)
    splits = [number for number, one in enumerate(looks.values()) for _ in range(len(one) // table.shape[1])]
    found = near_duplicates(table[:, _NAME_BYTES:].tobytes(), splits)
    names = {row: table[row, :_NAME_BYTES].tobytes() for group in found for row in group}
    wanted = set(names.values())
    copies = {
        key: Copy(entry.name, entry.label, str(entry.split))
        for entry in (entries if wanted else ())
        if (key := _name_bytes(entry.name)) in wanted
    }
    return Duplicates.of([copies[names[row]] for row in group] for group in found)


def _write(path: str, rows: Iterable[tuple[object, ...]]) -> None:
    with whole_file(path, newline="", encoding="utf-8") as file:
        write_rows(file, rows)
