"""Record files: TensorFlow reads them as gzipped TFRecords, and only small records are compressed."""

import uuid
from pathlib import Path

import apache_beam as beam
import numpy as np
import pytest
import tensorflow as tf

from efficientmixnet.components.record_file import RecordFile, WriteRecords
from efficientmixnet.modules import features
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


def _example(name: str) -> bytes:
    feature = tf.train.Feature(bytes_list=tf.train.BytesList(value=[name.encode()]))
    return tf.train.Example(features=tf.train.Features(feature={features.FILENAME: feature})).SerializeToString()


def test_beam_writes_every_record_once(tmp_path: Path) -> None:
    records = [_example(f"{number}.png") for number in range(200)]
    with beam.Pipeline(argv=list(IN_PROCESS)) as pipeline:
        _ = pipeline | beam.Create(records) | WriteRecords(f"{tmp_path}/examples")
    assert _read(tmp_path) == records
    assert [file.name for file in tmp_path.iterdir()] == ["examples-00000-of-00001.gz"]


def test_records_are_dealt_to_the_files_of_a_bundle_in_turn(tmp_path: Path) -> None:
    records = [_example(f"{number}.png") for number in range(7)]
    with beam.Pipeline(argv=list(IN_PROCESS)) as pipeline:
        _ = pipeline | beam.Create(records) | WriteRecords(f"{tmp_path}/examples", 3)
    for shard in range(3):
        file = f"{tmp_path}/examples-{shard:05d}-of-00003.gz"
        read = tf.data.TFRecordDataset(file, compression_type="GZIP").as_numpy_iterator()
        assert list(read) == records[shard::3]


def test_a_bundle_with_fewer_records_than_files_leaves_empty_files(tmp_path: Path) -> None:
    with beam.Pipeline(argv=list(IN_PROCESS)) as pipeline:
        _ = pipeline | beam.Create([_example("0.png")]) | WriteRecords(f"{tmp_path}/examples", 4)
    assert len(list(tmp_path.iterdir())) == 4
    assert _read(tmp_path) == [_example("0.png")]


@pytest.mark.parametrize("attempt", range(3))
def test_files_of_several_writers_have_a_fixed_order(tmp_path: Path, attempt: int) -> None:
    """The SHA-256 digests of 0.png, 2.png, 1.png, 4.png and 3.png start with 0f, 33, 94, a6 and c6 (sha256sum)."""
    sink = WriteRecords(f"{tmp_path}/examples").sink()
    folder = sink.initialize_write()
    written = []
    for name in ("0.png", "1.png", "2.png", "3.png", "4.png"):
        writer = sink.open_writer(folder, str(uuid.uuid4()))
        writer.write(_example(name))
        written.append(writer.close())
    list(sink.finalize_write(folder, written, sink.pre_finalize(folder, written)))
    assert _read(tmp_path) == [_example(f"{number}.png") for number in (0, 2, 1, 4, 3)]


def test_a_file_appears_when_it_is_complete(tmp_path: Path) -> None:
    with RecordFile(f"{tmp_path}/records.gz") as file:
        file.write(b"record")
        assert _read(tmp_path) == []
    assert _read(tmp_path) == [b"record"]


def test_a_failed_write_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), RecordFile(f"{tmp_path}/records.gz") as file:
        file.write(b"record")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []
