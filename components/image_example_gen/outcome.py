"""Outcome: what came of reading all images, a line of JSON for each shard and for each group of equal images."""

import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass

import tensorflow as tf

from efficientmixnet.components.image_example_gen.entry import LeftOut
from efficientmixnet.components.image_example_gen.findings import Copy, Duplicates
from efficientmixnet.modules.exceptions import BadInput

# In the artifact's folder.
LEFT_OUT_FILE = "left_out.csv"  # one row a file: name and reason
DUPLICATES_FILE = "duplicates.csv"  # one row an image: group, name, label and split
CLASS_COUNTS_FILE = "class_counts.json"  # images by split and label


def shard(split: str, labels: Mapping[str, int], left_out: Iterable[LeftOut]) -> str:
    """The line for a shard that has been written."""
    return json.dumps({"split": split, "labels": labels, "left_out": [astuple(item) for item in left_out]})


def duplicates(_: bytes, copies: Iterable[tuple[str, str, str]]) -> Iterator[str]:
    """The line for images with the same bytes, where there are several; of each what a Copy holds."""
    group = sorted(copies)
    if len(group) > 1:
        yield json.dumps({"same": group})


@dataclass(frozen=True)
class Outcome:
    """All lines together."""

    counts: Mapping[str, Counter[str]]  # images read, by split and label
    left_out: tuple[LeftOut, ...]  # by name
    duplicates: Duplicates

    @classmethod
    def read(cls, file: str, left_out: Iterable[LeftOut]) -> "Outcome":
        """From the file of lines; `left_out` is what was left out before."""
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
        """Images read."""
        return sum(labels.total() for labels in self.counts.values())

    def write_tables(self, folder: str) -> None:
        """Writes what was left out, how many images each class has, and which come twice where any do."""
        with tf.io.gfile.GFile(f"{folder}/{CLASS_COUNTS_FILE}", "w") as file:
            json.dump(self.counts, file, ensure_ascii=False, sort_keys=True)
        _write(f"{folder}/{LEFT_OUT_FILE}", [("file", "reason"), *(item.row() for item in self.left_out)])
        if self.duplicates.groups:
            _write(f"{folder}/{DUPLICATES_FILE}", self.duplicates.rows())

    def stop_if_too_many_are_left_out(self, data: str, max_left_out: float) -> None:
        """Raises BadInput where a larger share than `max_left_out` could not be read."""
        bad = [item for item in self.left_out if item.counts]
        seen = self.read_count + len(bad)
        if len(bad) > max_left_out * seen:
            examples = "; ".join(f"{item.name} {item.reason}" for item in bad[:3])
            raise BadInput(
                f"{data}: {len(bad)} of {seen} images ({len(bad) / seen:.1%}) cannot be used, more than the "
                f"{max_left_out:.1%} that data.max_left_out allows. The first: {examples}. "
                "Mend or remove them (all are listed in the run's left_out.csv), or raise data.max_left_out",
                [item.row() for item in self.left_out],
            )

    def stop_if_a_split_is_empty(self, where: str, splits: Iterable[str]) -> None:
        """Raises BadInput where a split has no image."""
        for split in splits:
            if not self.counts.get(split):
                raise BadInput(
                    f"{where}: no image falls into the split {split!r}; add images, raise its share in "
                    "data.splits, or name splits in a manifest",
                    [item.row() for item in self.left_out],
                )


def _write(path: str, rows: Iterable[tuple[object, ...]]) -> None:
    with tf.io.gfile.GFile(path, "w") as file:
        csv.writer(file).writerows(rows)
