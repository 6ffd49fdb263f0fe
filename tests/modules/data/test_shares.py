"""Workers read equal and disjoint parts of the files, which change from epoch to epoch."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from scipy.stats import chisquare

from efficientmixnet.modules.data.shares import RecordFiles, evaluation_share, records_in_files, training_share

UNEVEN = (5, 0, 11, 3, 8, 2)


def _write(folder: Path, counts: Sequence[int]) -> list[str]:
    """Writes files of consecutive numbers."""
    number = 0
    for file, count in enumerate(counts):
        with tf.io.TFRecordWriter(f"{folder}/{file}.gz", "GZIP") as writer:
            for _ in range(count):
                writer.write(b"%d" % number)
                number += 1
    return [f"{folder}/{file}.gz" for file in range(len(counts))]


def _numbers(dataset: tf.data.Dataset) -> list[int]:
    return [int(record) for record in dataset.as_numpy_iterator()]


def _epoch(files: list[str], counts: Sequence[int], workers: int, images: int, epoch: int) -> list[list[int]]:
    return [
        _numbers(training_share(RecordFiles(files, counts), worker, images, [7, epoch])) for worker in range(workers)
    ]


def test_records_are_counted_in_each_file(tmp_path: Path) -> None:
    assert records_in_files(_write(tmp_path, UNEVEN)) == UNEVEN


@pytest.mark.parametrize("workers", [1, 2, 3, 4, 7])
def test_workers_read_equally_many_records_and_none_twice(tmp_path: Path, workers: int) -> None:
    files, images = _write(tmp_path, UNEVEN), sum(UNEVEN) // workers
    for epoch in range(3):
        shares = _epoch(files, UNEVEN, workers, images, epoch)
        assert [len(share) for share in shares] == [images] * workers
        together = [number for share in shares for number in share]
        assert len(set(together)) == len(together) == workers * images


def test_workers_read_whole_files_if_they_divide_their_number(tmp_path: Path) -> None:
    files = _write(tmp_path, [5] * 8)
    for epoch in range(3):
        for share in _epoch(files, [5] * 8, workers=4, images=10, epoch=epoch):
            assert Counter(number // 5 for number in share) == dict.fromkeys({number // 5 for number in share}, 5)


def test_an_epoch_has_the_same_shares_again_and_the_next_one_has_others(tmp_path: Path) -> None:
    files = _write(tmp_path, UNEVEN)
    epochs = [_epoch(files, UNEVEN, 2, 14, epoch) for epoch in (0, 0, 1, 2)]
    assert epochs[0] == epochs[1]
    assert len({str(epoch) for epoch in epochs}) == 3


def test_every_file_reaches_every_worker_equally_often(tmp_path: Path) -> None:
    """30 of 32 records are read in each epoch, by one of three workers. Records of a file go together."""
    counts, epochs = [4] * 8, 600
    files = _write(tmp_path, counts)
    for worker in range(3):

        def share(epoch: tf.Tensor, worker: int = worker) -> tf.data.Dataset:
            return training_share(RecordFiles(files, counts), worker, 10, [7, epoch])

        numbers = _numbers(tf.data.Dataset.range(epochs).flat_map(share))
        assert len(numbers) == epochs * 10
        # Each epoch draws 10 / 4 files for the worker.
        assert chisquare(np.bincount(np.array(numbers) // 4, minlength=8) / 4).pvalue > 0.001


@pytest.mark.parametrize("workers", [1, 3, 4])
def test_evaluation_reads_every_record_once(tmp_path: Path, workers: int) -> None:
    files = _write(tmp_path, UNEVEN)
    shares = [_numbers(evaluation_share(RecordFiles(files, UNEVEN), worker, workers)) for worker in range(workers)]
    assert sorted(number for share in shares for number in share) == list(range(29))
    assert [len(share) for share in shares] == {1: [29], 3: [10, 10, 9], 4: [8, 7, 7, 7]}[workers]


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_held_out_records_reach_no_worker_and_all_others_reach_one(tmp_path: Path, workers: int) -> None:
    names = _write(tmp_path, UNEVEN)
    held_out, others = RecordFiles(names, UNEVEN, 5), RecordFiles(names, UNEVEN, 5, others=True)
    chosen = [0, 6, 12, 18, 24]  # 29 / 5 = 5.8 apart, rounded up
    assert sorted(_numbers(held_out.read())) == chosen
    assert (held_out.kept.tolist(), others.kept.tolist()) == ([1, 0, 2, 1, 1, 0], [4, 0, 9, 2, 7, 2])
    shares = [_numbers(evaluation_share(others, worker, workers)) for worker in range(workers)]
    assert sorted(number for share in shares for number in share) == sorted({*range(29)} - {*chosen})
    trained = [_numbers(training_share(others, worker, 24 // workers, [7, 0])) for worker in range(workers)]
    together = [number for share in trained for number in share]
    assert len(set(together)) == len(together) == 24 // workers * workers
    assert not set(together) & set(chosen)
