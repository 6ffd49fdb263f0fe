"""The numbers of files and records are written next to the records, and compared when they are read."""

from dataclasses import replace
from pathlib import Path

import pytest
import tensorflow as tf

from efficientmixnet.modules.data.record_counts import RecordCounts, check_counts, read_counts, write_counts
from efficientmixnet.modules.data.records import Records
from efficientmixnet.modules.exceptions import BadInput

RECORD = tf.train.Example(
    features=tf.train.Features(feature={"a": tf.train.Feature(int64_list=tf.train.Int64List(value=[1]))})
)


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    """Three files of two records each."""
    folder = tmp_path / "examples" / "Split-train"
    folder.mkdir(parents=True)
    for number in range(3):
        with tf.io.TFRecordWriter(f"{folder}/{number}.gz", "GZIP") as writer:
            for _ in range(2):
                writer.write(RECORD.SerializeToString())
    write_counts(str(folder.parent), {"train": RecordCounts.of_files(str(folder), 6)})
    return folder.parent


def test_untouched_records_are_accepted(examples: Path) -> None:
    check_counts(str(examples), ["train"])
    assert Records.find([f"{examples}/Split-train/*"]).count == 6
    written = read_counts(str(examples))["train"]
    assert (written.files, written.records) == (3, 6)
    assert written.bytes == sum(file.stat().st_size for file in examples.glob("Split-train/*"))


def _delete(folder: Path) -> None:
    (folder / "1.gz").unlink()


def _delete_all(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()


def _cut(folder: Path) -> None:
    (folder / "1.gz").write_bytes((folder / "1.gz").read_bytes()[:-1])


def _add(folder: Path) -> None:
    (folder / "3.gz").write_bytes((folder / "1.gz").read_bytes())


@pytest.mark.parametrize("change", [_delete, _delete_all, _cut, _add])
def test_changed_records_are_refused_with_the_cure(examples: Path, change: object) -> None:
    change(examples / "Split-train")
    with pytest.raises(BadInput, match=r"Split-train: files were deleted or changed .* with --no-cache"):
        check_counts(str(examples), ["train"])


def test_training_refuses_a_deleted_file(examples: Path) -> None:
    _delete(examples / "Split-train")
    with pytest.raises(BadInput, match=r"Found 2 files \(\d+ bytes\) with 4 records, expected 3 files .* 6 records"):
        Records.find([f"{examples}/Split-train/*"])


def test_training_refuses_another_number_of_records(examples: Path) -> None:
    folder = examples / "Split-train"
    write_counts(str(examples), {"train": RecordCounts.of_files(str(folder), 7)})
    with pytest.raises(BadInput, match=r"with 6 records, expected 3 files .* with 7 records"):
        Records.find([f"{folder}/*"])


def test_records_of_an_earlier_version_have_no_counts(examples: Path) -> None:
    (examples / "records.json").unlink()
    _delete(examples / "Split-train")
    check_counts(str(examples), ["train"])
    assert Records.find([f"{examples}/Split-train/*"]).count == 4


@pytest.mark.parametrize("content", ["", "{", "[7]", '{"train": {"files": 3}}', '{"train": 7}'])
def test_damaged_counts_are_named_with_the_cure(examples: Path, content: str) -> None:
    (examples / "records.json").write_text(content)
    with pytest.raises(BadInput, match=r"records\.json: is damaged \(.*\); run the command again with --no-cache"):
        check_counts(str(examples), ["train"])


def test_counts_are_added_if_all_are_known() -> None:
    assert RecordCounts(1, 10, 2) + RecordCounts(2, 5, 3) == RecordCounts(3, 15, 5)
    assert RecordCounts(1, 10, 2) + RecordCounts(2, 5) == RecordCounts(3, 15, None)


def test_the_numbers_that_transform_wrote_are_used_without_reading_all_files(examples: Path) -> None:
    folder = examples / "Split-train"
    (folder / "2.gz").write_bytes(bytes(20))  # cannot be read
    write_counts(str(examples), {"train": replace(RecordCounts.of_files(str(folder), 6), in_files=(2, 2, 2))})
    records = Records.find([f"{folder}/*"])
    assert (records.count, records.in_files) == (6, (2, 2, 2))
