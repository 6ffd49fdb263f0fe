"""Record files: TensorFlow reads them as gzipped TFRecords, and only small records are compressed."""

from pathlib import Path

import apache_beam as beam
import numpy as np
import pytest
import tensorflow as tf

from efficientmixnet.components.record_file import RecordFile, WriteRecords
from efficientmixnet.pipeline.config.beam_config import IN_PROCESS


def _noise(count: int, size: int) -> list[bytes]:
    """Returns records that cannot be compressed, like images."""
    return [np.random.default_rng(number).bytes(size) for number in range(count)]


def _read(folder: Path) -> list[bytes]:
    files = sorted(map(str, folder.glob("*.gz")))
    return list(tf.data.TFRecordDataset(files, compression_type="GZIP").as_numpy_iterator())


@pytest.mark.parametrize("records", [[], _noise(20, 100), _noise(20, 10_000)], ids=["none", "small", "images"])
def test_tensorflow_reads_the_records_in_the_same_order(tmp_path: Path, records: list[bytes]) -> None:
    with RecordFile(f"{tmp_path}/records.gz") as file:
        for record in records:
            file.write(record)
    assert _read(tmp_path) == records


def test_small_records_are_compressed_and_images_are_stored(tmp_path: Path) -> None:
    for size in (1000, 10_000):
        with RecordFile(f"{tmp_path}/{size}.gz") as file:
            for _ in range(100):
                file.write(bytes(size))
    assert (tmp_path / "1000.gz").stat().st_size < 10_000
    assert 1_000_000 < (tmp_path / "10000.gz").stat().st_size < 1_010_000


def test_beam_writes_every_record_once(tmp_path: Path) -> None:
    records = _noise(200, 5000)
    with beam.Pipeline(argv=list(IN_PROCESS)) as pipeline:
        _ = pipeline | beam.Create(records) | WriteRecords(f"{tmp_path}/examples")
    assert sorted(_read(tmp_path)) == sorted(records)
    assert [file.name for file in tmp_path.iterdir()] == ["examples-00000-of-00001.gz"]
