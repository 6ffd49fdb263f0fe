"""RecordFiles, training_share and evaluation_share: the records that a worker reads, all of them or its own part.

The files of a split stand in a row, and each worker reads an equal part of the row. So all workers read equally many
records, and each record is read by one worker. If the workers divide the number of files, each reads whole files.
Otherwise, two workers may open the same file, and the second one skips what the first one reads.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

SHARDS = 32  # Transform writes a multiple of this number of files for each split
FILES_AT_ONCE = SHARDS  # read by turns, a record of each. Not left to TensorFlow, whose number depends on the processor
_COUNTED_AT_ONCE = 4096  # records


@dataclass(frozen=True)
class RecordFiles:
    """Files, and which of their records to read. Records are numbered over all files in a row."""

    names: Sequence[str]
    counts: Sequence[int]  # the number of records in each file
    spread: int | None = None  # with n: only n of the records, at equal distances, or all others
    others: bool = False

    @property
    def firsts(self) -> np.ndarray:
        """The number of each file's first record."""
        return np.cumsum([0, *self.counts[:-1]])[: len(self.counts)].astype(np.int64)

    @property
    def kept(self) -> np.ndarray:
        """How many records of each file are read."""
        counts = np.array(self.counts, np.int64)
        if self.spread is None:
            return counts
        # Record i is chosen if (i x spread) mod records < spread. So of the first n, ((n - 1) x spread) // records + 1
        # are chosen.
        before, until = ((n - 1) * self.spread // counts.sum() + 1 for n in (self.firsts, self.firsts + counts))
        chosen = until - before
        return counts - chosen if self.others else chosen

    def read(self) -> tf.data.Dataset:
        """Reads all records, in an order that depends only on the files."""
        firsts = np.zeros(len(self.names), np.int64) if self.spread is None else self.firsts
        rest = np.full(len(self.names), -1, np.int64)  # for `take`
        return self.read_parts((list(self.names), firsts, np.zeros_like(rest), rest))

    def read_parts(self, parts: tuple) -> tf.data.Dataset:
        """Reads files, each given with its first record's number, and how many records to skip and to take."""

        def part(file: tf.Tensor, first: tf.Tensor, skip: tf.Tensor, take: tf.Tensor) -> tf.data.Dataset:
            records = tf.data.TFRecordDataset(file, compression_type="GZIP")
            if self.spread is not None:
                numbered = records.enumerate(first)
                wanted = numbered.filter(
                    lambda i, _: (i * self.spread % sum(self.counts) >= self.spread) == self.others
                )
                records = wanted.map(lambda _, record: record)
            return records.skip(skip).take(take)

        return tf.data.Dataset.from_tensor_slices(parts).interleave(
            part, cycle_length=FILES_AT_ONCE, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
        )


def records_in_files(files: Sequence[str]) -> tuple[int, ...]:
    """Reads gzipped TFRecords, several at a time, and returns the number of records in each."""
    if not files:
        return ()

    def numbers(file: tf.Tensor, number: tf.Tensor) -> tf.data.Dataset:
        return tf.data.TFRecordDataset(file, compression_type="GZIP").map(lambda _: number)

    # Each record becomes the number of its file. A separate dataset for each file takes ten times as long.
    read = tf.data.Dataset.from_tensor_slices((list(files), range(len(files)))).interleave(
        numbers, num_parallel_calls=tf.data.AUTOTUNE, deterministic=False
    )
    counts = np.zeros(len(files), np.int64)
    for some in read.batch(_COUNTED_AT_ONCE).as_numpy_iterator():
        counts += np.bincount(some, minlength=len(files))
    return tuple(counts.tolist())


def training_share(files: RecordFiles, worker: int, images: int, seed: list[tf.Tensor]) -> tf.data.Dataset:
    """Returns a worker's serialized examples of an epoch, with the files in a random order.

    Args:
        files: All files of the split.
        worker: The index of the worker.
        images: How many records each worker reads.
        seed: Two integers, the same for all workers. Each epoch has another one.
    """
    order = tf.random.experimental.stateless_shuffle(tf.range(len(files.names)), seed)
    return _part(files, order, worker * images, (worker + 1) * images)


def evaluation_share(files: RecordFiles, worker: int, workers: int) -> tf.data.Dataset:
    """Returns a worker's serialized examples of a split, in a fixed order. The first workers may have one more."""
    least, more = divmod(int(files.kept.sum()), workers)
    first = worker * least + min(worker, more)
    return _part(files, tf.range(len(files.names)), first, first + least + (worker < more))


def _part(files: RecordFiles, order: tf.Tensor, begin: int, end: int) -> tf.data.Dataset:
    """Reads the records from `begin` to the one before `end`, counted over all files in this order."""
    columns = (tf.constant(list(files.names)), tf.constant(files.firsts), tf.constant(files.kept))
    names, firsts, kept = (tf.gather(column, order) for column in columns)
    before = tf.cumsum(kept, exclusive=True)
    skipped = tf.clip_by_value(begin - before, 0, kept)
    taken = tf.clip_by_value(end - before, 0, kept) - skipped
    own = taken > 0
    return files.read_parts(tuple(tf.boolean_mask(one, own) for one in (names, firsts, skipped, taken)))
