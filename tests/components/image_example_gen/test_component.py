"""ImageExampleGen, run by TFX: every image is in one split, and runs write the same order."""

import csv
import json
import re
import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import ml_metadata
import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
import tensorflow as tf
from ml_metadata.proto import metadata_store_pb2
from PIL import Image
from sklearn.datasets import load_sample_image
from tfx import v1 as tfx

from efficientmixnet.components.image_example_gen.component import ImageExampleGen
from efficientmixnet.components.image_example_gen.find_dataset import find_dataset
from efficientmixnet.components.image_example_gen.layout import Layout
from efficientmixnet.components.image_example_gen.sources import find_images
from efficientmixnet.components.image_example_gen.splits import Splits
from efficientmixnet.modules import features, progress
from efficientmixnet.modules.exceptions import BadInput

SPLITS = {"train": 0.7, "eval": 0.3}
IMAGES = 40


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty images of two classes, an empty file and a text file."""
    folder = tmp_path_factory.mktemp("data") / "images"
    source = np.random.default_rng(0)
    for number in range(IMAGES):
        path = folder / ("a cat" if number % 2 else "größe") / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(source.integers(0, 256, (6, 9, 3), dtype=np.uint8)).save(path)
    (folder / "a cat" / "empty.jpg").touch()
    (folder / "a cat" / "notes").write_text("cats")
    (folder / "a cat" / "notes.txt").write_text("cats")
    return folder


def _run(folder: Path, data: Path, **parameters: Any) -> Path:
    """Runs only this component, and returns the folder of its records."""
    component = ImageExampleGen(
        images=str(data),
        manifest=parameters.pop("manifest", ""),
        splits=json.dumps(parameters.pop("splits", SPLITS)),
        max_left_out=parameters.pop("max_left_out", 0.05),
        max_pixels=parameters.pop("max_pixels", 1000),
        fingerprint=parameters.pop("fingerprint", ""),
        layout=parameters.pop("layout", "{}"),
        corrections=parameters.pop("corrections", ""),
    )
    pipeline = tfx.dsl.Pipeline(
        pipeline_name="ingest",
        pipeline_root=str(folder),
        components=[component],
        metadata_connection_config=tfx.orchestration.metadata.sqlite_metadata_connection_config(f"{folder}/db"),
        beam_pipeline_args=["--runner=apache_beam.runners.portability.fn_api_runner.FnApiRunner"],
    )
    tfx.orchestration.LocalDagRunner().run(pipeline)
    (uri,) = (folder / "ImageExampleGen" / "examples").iterdir()
    return uri


def _records(uri: Path) -> dict[str, list[bytes]]:
    """Returns the records of each file."""
    return {
        str(file.relative_to(uri)): [record.numpy() for record in tf.data.TFRecordDataset(str(file), "GZIP")]
        for file in sorted(uri.glob("Split-*/*"))
    }


def _names(records: list[bytes]) -> list[str]:
    examples = map(tf.train.Example.FromString, records)
    return [example.features.feature[features.FILENAME].bytes_list.value[0].decode() for example in examples]


@pytest.fixture(scope="module")
def reported() -> Iterator[list[tuple[int, str]]]:
    """The component's calls of the progress listener."""
    events: list[tuple[int, str]] = []

    class Listener:
        def start(self, total: int, unit: str) -> None:
            events.append((total, unit))

        def advance(self, count: int, figures: dict[str, float]) -> None:
            events.append((count, figures))

    progress.listen(Listener())
    yield events
    progress.listen(None)


@pytest.fixture(scope="module")
def uri(data: Path, reported: list[tuple[int, str]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _run(tmp_path_factory.mktemp("first"), data)


def test_every_image_is_in_exactly_the_split_of_its_name(uri: Path, data: Path) -> None:
    found = [
        (name, re.match("Split-([a-z]+)/", file)[1])
        for file, records in _records(uri).items()
        for name in _names(records)
    ]
    entries = find_dataset(str(data), None, Splits(SPLITS), Layout()).entries
    expected = {entry.name: entry.split for entry in entries if entry.name.endswith(".png")}
    assert len(found) == len(expected) == IMAGES
    assert dict(found) == expected
    assert set(expected.values()) == {"train", "eval"}


def test_records_are_written_to_gzipped_shards(uri: Path) -> None:
    files = sorted(uri.glob("Split-train/*"))
    assert len(files) > 1
    assert {file.read_bytes()[:2] for file in files} == {b"\x1f\x8b"}


def test_a_shard_mixes_the_classes(uri: Path) -> None:
    labels = [name.split("/")[0] for records in _records(uri).values() for name in _names(records)]
    changes = sum(before != after for before, after in pairwise(labels))
    assert changes > IMAGES / 4  # sorted by class, there would be about eight


def test_a_second_run_writes_the_same_records_in_the_same_order(uri: Path, data: Path, tmp_path: Path) -> None:
    assert _records(_run(tmp_path, data)) == _records(uri)


def test_files_left_out_are_listed_with_the_reason(uri: Path) -> None:
    with (uri / "left_out.csv").open(newline="", encoding="utf-8") as file:
        assert list(csv.reader(file)) == [
            ["file", "reason"],
            ["a cat/empty.jpg", "has zero bytes"],
            ["a cat/notes", "is not an image in a supported format"],
        ]


def test_the_images_of_each_class_are_counted(uri: Path) -> None:
    counts = json.loads((uri / "class_counts.json").read_text(encoding="utf-8"))
    assert counts["train"].keys() == counts["eval"].keys() == {"a cat", "größe"}
    assert {label: counts["train"][label] + counts["eval"][label] for label in counts["train"]} == {
        "a cat": IMAGES / 2,
        "größe": IMAGES / 2,
    }


def test_copies_are_listed_with_label_and_split(data: Path, tmp_path: Path) -> None:
    shutil.copytree(data, tmp_path / "data")
    for copy in ("a cat/copy of 1.png", "größe/1.png"):
        shutil.copy(tmp_path / "data/a cat/1.png", tmp_path / "data" / copy)
    fractions = {"train": 0.5, "eval": 0.5}
    uri = _run(tmp_path / "run", tmp_path / "data", splits=fractions)
    names = ["a cat/1.png", "a cat/copy of 1.png", "größe/1.png"]
    splits = {e.name: e.split for e in find_dataset(str(tmp_path / "data"), None, Splits(fractions), Layout()).entries}
    with (uri / "duplicates.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["group", "file", "label", "split"],
        *(["1", name, name.split("/")[0], splits[name]] for name in names),
    ]


def test_the_same_photograph_in_two_splits_is_reported(tmp_path: Path) -> None:
    photograph = Image.fromarray(load_sample_image("china.jpg"))
    for number, (split, label) in enumerate((one, two) for one in ("train", "val", "test") for two in ("a", "b")):
        (tmp_path / "data" / split / label).mkdir(parents=True)
        image = photograph.rotate(90 * (number % 4) + 10 * (number // 4)).resize((200, 134))
        image.save(tmp_path / "data" / split / label / "1.jpg")
    photograph.resize((100, 67)).save(tmp_path / "data/test/b/copy.jpg", quality=40)
    uri = _run(tmp_path / "run", tmp_path / "data", max_pixels=10**6)
    with (uri / "near_duplicates.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["group", "file", "label", "split"],
        ["1", "test/b/copy.jpg", "b", "test"],
        ["1", "train/a/1.jpg", "a", "train"],
    ]
    counts = json.loads((uri / "class_counts.json").read_text(encoding="utf-8"))
    assert counts == {"train": {"a": 1, "b": 1}, "eval": {"a": 1, "b": 1}, "test": {"a": 1, "b": 2}}
    assert len(list(uri.glob("Split-test/*"))) > 0


def test_ten_images_fill_three_splits(tmp_path: Path) -> None:
    for label in ("a", "b"):
        (tmp_path / "data" / label).mkdir(parents=True)
        for number in range(5):
            Image.new("L", (4, 4), 50 * number).save(tmp_path / "data" / label / f"{number}.png")
    uri = _run(tmp_path / "run", tmp_path / "data", splits={"train": 0.8, "eval": 0.1, "test": 0.1})
    counts = json.loads((uri / "class_counts.json").read_text(encoding="utf-8"))
    assert counts == {"train": {"a": 3, "b": 3}, "eval": {"a": 1, "b": 1}, "test": {"a": 1, "b": 1}}


def test_ml_metadata_has_the_reasons_and_the_warnings(uri: Path) -> None:
    connection = metadata_store_pb2.ConnectionConfig()
    connection.sqlite.filename_uri = str(uri.parents[2] / "db")
    (examples,) = ml_metadata.MetadataStore(connection).get_artifacts_by_type("Examples")
    found = {name: examples.custom_properties[name].string_value for name in ("left_out_by_reason", "warnings")}
    assert json.loads(found["left_out_by_reason"]) == {"has zero bytes": 1, "is not an image in a supported format": 1}
    assert json.loads(found["warnings"]) == []
    assert examples.custom_properties["images_read"].int_value == IMAGES


def test_only_the_latest_span_is_read_and_its_number_is_recorded(data: Path, tmp_path: Path) -> None:
    shutil.copytree(data, tmp_path / "day-7")
    for label in ("a cat", "größe"):
        (tmp_path / "day-12" / label).mkdir(parents=True)
        for number in range(12):
            Image.new("L", (4, 4), number).save(tmp_path / "day-12" / label / f"{number}.png")
    uri = _run(tmp_path / "run", tmp_path / "day-{SPAN}")
    assert sum(len(records) for records in _records(uri).values()) == 24
    connection = metadata_store_pb2.ConnectionConfig()
    connection.sqlite.filename_uri = str(tmp_path / "run" / "db")
    (examples,) = ml_metadata.MetadataStore(connection).get_artifacts_by_type("Examples")
    assert (examples.properties["span"].int_value, examples.properties["version"].int_value) == (12, 0)


def test_progress_is_reported_for_every_image(uri: Path, reported: list[tuple[int, str]]) -> None:
    seen = IMAGES + 2
    assert reported[: seen + 1] == [(seen, "images"), *[(1, {})] * seen]


def test_too_many_unreadable_images_stop_the_run_with_their_list(data: Path, tmp_path: Path) -> None:
    # 1 of 41: the text file does not count.
    with pytest.raises(BadInput, match=r"1 of 41 images \(2\.4%\) cannot be used, more than the 2\.0%") as caught:
        _run(tmp_path, data, max_left_out=0.02)
    assert "a cat/empty.jpg has zero bytes" in str(caught.value)
    assert caught.value.left_out == (
        ("a cat/empty.jpg", "has zero bytes"),
        ("a cat/notes", "is not an image in a supported format"),
    )


def test_an_empty_split_stops_the_run(tmp_path: Path) -> None:
    for label in ("cat", "dog"):  # A label's only image is in the training split.
        (tmp_path / "data" / label).mkdir(parents=True)
        Image.new("L", (4, 4)).save(tmp_path / "data" / label / "1.png")
    with pytest.raises(BadInput, match=r"the split 'eval' has no image\. Add images, raise its fraction"):
        _run(tmp_path / "run", tmp_path / "data")


def test_a_parquet_file_is_unpacked_split_and_the_copy_removed(data: Path, tmp_path: Path) -> None:
    files = sorted(data.rglob("*.png"))
    pyarrow.parquet.write_table(
        pyarrow.table(
            {
                "image": [{"bytes": file.read_bytes(), "path": file.name} for file in files],
                "label": [file.parent.name for file in files],
                "site": [number % 3 for number in range(len(files))],
            }
        ),
        tmp_path / "images.parquet",
        row_group_size=7,
    )
    uri = _run(tmp_path / "run", tmp_path / "images.parquet", layout='{"features": ["site"]}')
    read = {}
    for records in _records(uri).values():
        for record in records:
            found = tf.train.Example.FromString(record).features.feature
            row = int(found[features.FILENAME].bytes_list.value[0].decode().removeprefix("images.parquet/"))
            read[row] = [found[name].bytes_list.value[0] for name in (features.ENCODED, features.LABEL, "site")]
    assert read == {
        number: [file.read_bytes(), file.parent.name.encode(), str(number % 3).encode()]
        for number, file in enumerate(files)
    }
    left = {path.name for path in uri.iterdir()}
    tables = {"left_out.csv", "class_counts.json", "outcome.jsonl", "records.json"}
    assert left == {"Split-eval", "Split-train", "originals", *tables}


def test_the_number_of_records_of_each_split_is_written(uri: Path) -> None:
    counts = json.loads((uri / "records.json").read_text())
    for split, one in counts.items():
        files = list((uri / f"Split-{split}").iterdir())
        records = [record for file, found in _records(uri).items() if f"Split-{split}/" in file for record in found]
        assert one == {
            "files": len(files),
            "bytes": sum(file.stat().st_size for file in files),
            "records": len(records),
            "in_files": [],  # only Transform's records are divided among workers
        }
    assert sum(one["records"] for one in counts.values()) == IMAGES


def test_images_that_changed_since_the_start_of_the_run_stop_it(data: Path, tmp_path: Path) -> None:
    shutil.copytree(data, tmp_path / "data")
    before = find_images(str(tmp_path / "data"), None, frozenset(SPLITS)).fingerprint
    shutil.rmtree(tmp_path / "data/a cat")
    (tmp_path / "data/dog").mkdir()
    shutil.copy(data / "a cat/1.png", tmp_path / "data/dog")
    with pytest.raises(BadInput, match=r"the images are not those that this run listed at its start"):
        _run(tmp_path / "run", tmp_path / "data", fingerprint=before)


def test_a_new_span_since_the_start_of_the_run_stops_it(data: Path, tmp_path: Path) -> None:
    shutil.copytree(data, tmp_path / "day-1")
    before = find_images(str(tmp_path / "day-{SPAN}"), None, frozenset(SPLITS)).fingerprint
    shutil.copytree(data, tmp_path / "day-2")
    with pytest.raises(BadInput, match=r"day-\{SPAN\}: the images are not those that this run listed"):
        _run(tmp_path / "run", tmp_path / "day-{SPAN}", fingerprint=before)


def test_corrected_labels_are_written_and_removed_images_are_listed(uri: Path, data: Path, tmp_path: Path) -> None:
    list_of_corrections = tmp_path / "relabel.csv"
    list_of_corrections.write_text("path,label\na cat/1.png,größe\na cat/3.png,\n", encoding="utf-8")
    before = find_dataset(str(data), None, Splits(SPLITS), Layout())
    corrected = _run(tmp_path / "run", data, corrections=str(list_of_corrections))
    with (corrected / "left_out.csv").open(newline="", encoding="utf-8") as file:
        assert ["a cat/3.png", "has no label in data.corrections"] in list(csv.reader(file))
    written = {}
    for name, records in _records(corrected).items():
        for image, record in zip(_names(records), records, strict=True):
            label = tf.train.Example.FromString(record).features.feature[features.LABEL].bytes_list.value[0].decode()
            written[image] = (label, name.split("/")[0].removeprefix("Split-"))
    expected = {one.name: (one.label, one.split) for one in before.entries if one.name.endswith(".png")}
    expected["a cat/1.png"] = ("größe", expected["a cat/1.png"][1])
    del expected["a cat/3.png"]
    assert written == expected
