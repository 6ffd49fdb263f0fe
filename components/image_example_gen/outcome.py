"""Outcome: the result of reading all images, written as one JSON line for each shard and group of duplicates."""

import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass

import tensorflow as tf

from efficientmixnet.components.image_example_gen.entry import LeftOut
from efficientmixnet.components.image_example_gen.findings import Copy, Duplicates
from efficientmixnet.modules.exceptions import BadInput

# Files in the artifact's folder.
LEFT_OUT_FILE = "left_out.csv"  # a row for each file: name and reason
DUPLICATES_FILE = "duplicates.csv"  # a row for each image: group, name, label and split
CLASS_COUNTS_FILE = "class_counts.json"  # images by split and label


def shard(split: str, labels: Mapping[str, int], left_out: Iterable[LeftOut]) -> str:
    """Returns the line for a shard."""
    return json.dumps({"split": split, "labels": labels, "left_out": [astuple(item) for item in left_out]})


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
    """

    counts: Mapping[str, Counter[str]]
    left_out: tuple[LeftOut, ...]
    duplicates: Duplicates

    @classmethod
    def read(cls, file: str, left_out: Iterable[LeftOut]) -> "Outcome":
        """Reads the lines.

        Args:
            file: The file of lines.
            left_out: Files that were left out before any image was read.
        """
        counts: dict[str, Counter[str]] = {}
        all_left_out, groups = list(left_out), []
        with tf.io.gfile.GFile(file) as lines:
            for line in map(json.loads, lines):
                if "same" in line:
                    groups.append(tuple(Copy(*copy) for copy in line["same"]))
                else:
                    counts.setdefault(line["split"], Counter()).update(line["labels"])
                    all_left_out += (LeftOut(*item) for item in line["left_out"])
        all_left_out.sort(key=lambda item: item.name)
        groups.sort(key=lambda group: group[0].name)
        return cls(counts, tuple(all_left_out), Duplicates(tuple(groups)))

    @property
    def read_count(self) -> int:
        """The number of images read."""
        return sum(labels.total() for labels in self.counts.values())

    def write_tables(self, folder: str) -> None:
        """Writes the files left out, the number of images of each class, and the duplicates if there are any."""
        with tf.io.gfile.GFile(f"{folder}/{CLASS_COUNTS_FILE}", "w") as file:
            json.dump(self.counts, file, ensure_ascii=False, sort_keys=True)
        _write(f"{folder}/{LEFT_OUT_FILE}", [("file", "reason"), *(item.row() for item in self.left_out)])
        if self.duplicates.groups:
            _write(f"{folder}/{DUPLICATES_FILE}", self.duplicates.rows())

    def stop_if_too_many_are_left_out(self, data: str, max_left_out: float) -> None:
        """Raises BadInput if a larger fraction of the images than `max_left_out` could not be read.

        Nobody knows how many images a folder has that cannot be listed. It counts as many as a class has on average.
        """
        bad = sorted((item for item in self.left_out if item.counts), key=lambda item: not item.is_folder)
        count = sum(self._mean_class() if item.is_folder else 1 for item in bad)
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


def _write(path: str, rows: Iterable[tuple[object, ...]]) -> None:
    with tf.io.gfile.GFile(path, "w") as file:
        csv.writer(file).writerows(rows)
