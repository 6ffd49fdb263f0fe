"""Records: the transformed records of a split, and how they are read."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import tensorflow as tf

from efficientmixnet.modules import features
from efficientmixnet.modules.data import images
from efficientmixnet.modules.data.record_counts import RecordCounts, read_counts
from efficientmixnet.modules.data.shares import RecordFiles, records_in_files

AT_ONCE = os.cpu_count() or 1  # calls of a function; without its tuner, TensorFlow would use at most 16
_SAMPLE = 64  # records
_PARSE_BATCH = 64  # records

_FEATURE_SPEC = {
    features.ENCODED: tf.io.FixedLenFeature([], tf.string),
    features.LABEL_ID: tf.io.FixedLenFeature([], tf.int64),
}
_DEPTH_SPEC = {features.DEPTH: tf.io.FixedLenFeature([], tf.int64, 8)}
_STATISTICS_SPEC = {
    name: tf.io.FixedLenSequenceFeature([], tf.float32, allow_missing=True)  # [channels]
    for name in (features.CHANNEL_MEAN, features.CHANNEL_DEVIATION)
}


@dataclass(frozen=True)
class Records:
    """The records of one split."""

    files: tuple[str, ...]
    count: int
    cached: bool = False  # whether decoded images stay in memory after the first pass
    deep: bool = False  # whether it has images of 16 bits, so that pixels are float32 instead of uint8
    spread: int | None = None  # with n: only n records of the files, at equal distances, or all others
    others: bool = False
    in_files: tuple[int, ...] = ()  # the number of records in each file
    channels: int = 3

    @classmethod
    def find(cls, patterns: Sequence[str]) -> "Records":
        """Finds the files that match the patterns, and counts their records.

        Raises:
            BadInput: Files were deleted or changed after Transform wrote them.
        """
        counts: dict[str, int] = {}
        for pattern in patterns:
            counts |= _counts(pattern)
        files = tuple(sorted(counts))
        count = sum(counts.values())
        in_files = tuple(counts[file] for file in files)
        if not count:
            return cls(files, count, in_files=in_files)
        first = next(iter(RecordFiles(files, ()).read()))
        return cls(files, count, deep=is_deep(first), in_files=in_files, channels=channels_of(first))

    def split_off(self, count: int) -> tuple["Records", "Records"]:
        """Splits off `count` records, at equal distances. Returns the others, and these."""
        return (
            replace(self, count=self.count - count, spread=count, others=True),
            replace(self, count=count, spread=count),
        )

    def decoded_bytes(self) -> int:
        """Estimates the bytes of all decoded images from a sample of the records."""
        sample = parsed_records(self.record_files.read()).take(_SAMPLE)
        sizes = [images.decode_stored(encoded, self.deep, self.channels).numpy().nbytes for encoded, _ in sample]
        return round(self.count * float(np.mean(sizes)))

    def channel_statistics(self) -> tuple[list[float], list[float]]:
        """Returns the training split's mean and deviation of each channel, where white is 1. Every record has them."""
        first = tf.io.parse_single_example(next(iter(self.record_files.read())), _STATISTICS_SPEC)
        return first[features.CHANNEL_MEAN].numpy().tolist(), first[features.CHANNEL_DEVIATION].numpy().tolist()

    def images(self) -> tf.data.Dataset:
        """Returns images with their class ids, int64 []: pixels [height, width, channels] if cached, else bytes []."""
        examples = parsed_records(self.record_files.read()).take(self.count)  # before the cache, which must see the end
        if not self.cached:
            return examples
        decoded = examples.map(
            lambda encoded, label: (images.decode_stored(encoded, self.deep, self.channels), label),
            num_parallel_calls=AT_ONCE,
        )
        return decoded.cache()

    @property
    def record_files(self) -> RecordFiles:
        """The files, and which of their records to read."""
        return RecordFiles(self.files, self.in_files, self.spread, self.others)


def is_deep(transformed: tf.Tensor) -> bool:
    """Returns whether the training split has images of 16 bits, which every transformed record says: bytes []."""
    return bool(tf.io.parse_single_example(transformed, _DEPTH_SPEC)[features.DEPTH] > 8)


def channels_of(transformed: tf.Tensor) -> int:
    """Returns the number of channels of all images, which every transformed record says: bytes []."""
    return int(tf.size(tf.io.parse_single_example(transformed, _STATISTICS_SPEC)[features.CHANNEL_MEAN]))


def parsed_records(serialized: tf.data.Dataset) -> tf.data.Dataset:
    """Returns the encoded images, bytes [], and class ids, int64 [], of serialized tf.Examples, bytes []."""
    # In batches, which take a quarter of the time.
    return serialized.batch(_PARSE_BATCH).map(_parse, num_parallel_calls=AT_ONCE).unbatch()


def _parse(serialized: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The same for many at once: bytes [records] -> bytes [records], int64 [records]."""
    parsed = tf.io.parse_example(serialized, _FEATURE_SPEC)
    return parsed[features.ENCODED], parsed[features.LABEL_ID]


def _counts(pattern: str) -> dict[str, int]:
    """Returns the number of records in each file, and compares them with what Transform wrote."""
    folder = os.path.dirname(pattern)
    files = sorted(tf.io.gfile.glob(pattern))
    split = os.path.basename(folder).removeprefix("Split-")
    written = read_counts(os.path.dirname(folder)).get(split)
    # With the numbers that Transform wrote, no worker has to read all files before the training.
    known = written.in_files if written and len(written.in_files) == len(files) else records_in_files(files)
    if written:
        written.check(RecordCounts.of_files(folder, sum(known)), folder)
    return dict(zip(files, known, strict=True))
