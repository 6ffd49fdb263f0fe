"""RecordCounts: the numbers of files, bytes and records of each split, which readers of the records check.

They are written next to the records. Otherwise, nothing would notice a file that was deleted from TFX's cache.

    FOLDER/records.json             {"train": {"files": 2, "bytes": 48213, "records": 116, "in_files": [58, 58]}, ...}
    FOLDER/Split-train/...          the records
"""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.files.stored_file import damage_named
from efficientmixnet.modules.files.whole_file import write_text

FILE = "records.json"


@dataclass(frozen=True)
class RecordCounts:
    """The size of a split.

    Args:
        files: The number of files.
        bytes: The size of all files.
        records: The number of records; None if it is unknown.
        in_files: The number of records in each file, in the order of the files' names; empty if it is unknown.
    """

    files: int
    bytes: int
    records: int | None = None
    in_files: tuple[int, ...] = ()

    @classmethod
    def of_files(cls, folder: str, records: int | None = None) -> "RecordCounts":
        """Returns the size of the files in the folder."""
        import tensorflow as tf  # here, since a task that only copies records does not need it

        sizes = [tf.io.gfile.stat(f"{folder}/{name}").length for name in tf.io.gfile.listdir(folder)]
        return cls(len(sizes), sum(sizes), records)

    def check(self, found: "RecordCounts", folder: str) -> None:
        """Raises BadInput if the folder has other files than when this size was written."""
        if (found.files, found.bytes) != (self.files, self.bytes) or (
            found.records is not None and found.records != self.records is not None
        ):
            raise BadInput(
                f"{folder}: files were deleted or changed after an earlier run wrote them. Found {found}, expected "
                f"{self}. Run the command again with --no-cache."
            )

    def __add__(self, other: "RecordCounts") -> "RecordCounts":
        known = self.records is not None and other.records is not None
        records = (self.records or 0) + (other.records or 0) if known else None
        return RecordCounts(self.files + other.files, self.bytes + other.bytes, records)

    def __str__(self) -> str:
        records = "" if self.records is None else f" with {self.records:,} records"
        return f"{self.files:,} {'file' if self.files == 1 else 'files'} ({self.bytes:,} bytes){records}"


def write_counts(folder: str, counts: Mapping[str, RecordCounts]) -> None:
    """Writes the size of each split to the folder of the splits."""
    write_text(os.path.join(folder, FILE), json.dumps({split: asdict(one) for split, one in counts.items()}))


def read_counts(folder: str) -> dict[str, RecordCounts]:
    """Returns the size of each split, as it was written; nothing if an earlier version wrote the folder.

    Raises:
        BadInput: The file is damaged.
    """
    import tensorflow as tf

    path = os.path.join(folder, FILE)
    if not tf.io.gfile.exists(path):
        return {}
    with tf.io.gfile.GFile(path) as file:
        return parse_counts(file.read(), path)


def parse_counts(text: str, path: str) -> dict[str, RecordCounts]:
    """Returns the content of the file at this path.

    Raises:
        BadInput: The file is damaged.
    """
    with damage_named(path, "run the command again with --no-cache"):
        return {
            split: RecordCounts(**{**one, "in_files": tuple(map(int, one.get("in_files", ())))})
            for split, one in json.loads(text).items()
        }


def check_counts(folder: str, splits: Iterable[str]) -> None:
    """Compares the files of the splits with what was written.

    Args:
        folder: The folder of the splits.
        splits: The splits that will be read.

    Raises:
        BadInput: Files were deleted or changed.
    """
    import tensorflow as tf

    written = read_counts(folder)
    for split in splits:
        if split in written:
            place = f"{folder}/Split-{split}"
            there = tf.io.gfile.isdir(place)
            written[split].check(RecordCounts.of_files(place) if there else RecordCounts(0, 0), place)
