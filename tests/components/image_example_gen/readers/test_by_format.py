"""TFRecords, tar shards and Parquet files give the same entries and images."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from efficientmixnet.components.image_example_gen.layout import Layout
from efficientmixnet.components.image_example_gen.readers.by_format import LOST, images_of, unpack
from efficientmixnet.components.image_example_gen.sources import Entry, LeftOut, Sources, find_images
from efficientmixnet.modules.exceptions import BadInput

SPLITS = frozenset({"train", "eval"})
# Nothing decodes these images, so any bytes will do: several lengths, zeros, and one image inside another.
IMAGES = [b"\xff\xd8one", b"\xff\xd8\0\0two" * 300, b"one", b"\x89PNG" + bytes(range(256))]
LABELS = ["cat", "dog", "große Katze", "cat"]

Form = Callable[..., None]


def _as_tfrecord(write: Any, data: Path) -> None:
    write.tfrecord(data / "a.tfrecord", [write.example(*pair) for pair in zip(IMAGES, LABELS, strict=True)])


def _as_compressed_tfrecord(write: Any, data: Path) -> None:
    write.tfrecord(
        data / "train-00000-of-00001.gz", [write.example(*pair) for pair in zip(IMAGES, LABELS, strict=True)], "GZIP"
    )


def _tar_files() -> dict[str, bytes]:
    files = {}
    for number, (image, label) in enumerate(zip(IMAGES, LABELS, strict=True)):
        files[f"./{number:04d}.cls"] = label.encode()
        files[f"./{number:04d}.jpg"] = image
    return files


def _as_tar(write: Any, data: Path) -> None:
    write.tar(data / "shard-0.tar", _tar_files())


def _as_compressed_tar(write: Any, data: Path) -> None:
    write.tar(data / "shard-0.tar.gz", _tar_files(), "w:gz")


def _as_parquet(write: Any, data: Path) -> None:
    write.parquet(data / "data/train.parquet", {"image": IMAGES, "label": LABELS})


def _as_hugging_face(write: Any, data: Path) -> None:
    names = sorted(set(LABELS))
    about = {"info": {"features": {"label": {"names": names, "_type": "ClassLabel"}}}}
    images = [{"bytes": image, "path": None} for image in IMAGES]
    numbers = [names.index(label) for label in LABELS]
    write.parquet(data / "0.parquet", {"image": images, "label": numbers}, {"huggingface": json.dumps(about)})


def _contents(sources: Sources, layout: Layout | None = None) -> list[bytes]:
    found = {entry.name: encoded for entry, encoded in images_of(sources.entries, sources.format, layout or Layout())}
    return [found[entry.name] for entry in sources.entries]


@pytest.mark.parametrize(
    "form", [_as_tfrecord, _as_compressed_tfrecord, _as_tar, _as_compressed_tar, _as_parquet, _as_hugging_face]
)
def test_every_format_gives_the_same_images_and_labels(write: Any, tmp_path: Path, form: Form) -> None:
    form(write, tmp_path)
    sources = find_images(str(tmp_path), None, SPLITS)
    assert [entry.label for entry in sources.entries] == LABELS
    assert _contents(sources) == IMAGES
    assert sources.left_out == ()


@pytest.mark.parametrize("form", [_as_compressed_tfrecord, _as_compressed_tar, _as_parquet])
def test_images_that_must_be_read_in_order_are_unpacked_into_one_file(write: Any, tmp_path: Path, form: Form) -> None:
    form(write, tmp_path / "data")
    sources = find_images(str(tmp_path / "data"), None, SPLITS)
    plain = tmp_path / "plain"
    with plain.open("wb") as file:
        entries = tuple(unpack(sources.entries, sources.format, Layout(), file, str(plain)))
    assert [entry.name for entry in entries] == [entry.name for entry in sources.entries]
    assert [encoded for _, encoded in images_of(entries, "folders", Layout())] == IMAGES
    assert plain.read_bytes() == b"".join(IMAGES)


def test_the_data_can_be_a_single_file(write: Any, tmp_path: Path) -> None:
    _as_tar(write, tmp_path)
    sources = find_images(str(tmp_path / "shard-0.tar"), None, SPLITS)
    assert [entry.name for entry in sources.entries] == [f"shard-0.tar/{number:04d}" for number in range(4)]


def test_the_fingerprint_changes_with_the_file(write: Any, tmp_path: Path) -> None:
    _as_tar(write, tmp_path)
    before = find_images(str(tmp_path), None, SPLITS).fingerprint
    assert find_images(str(tmp_path), None, SPLITS).fingerprint == before
    write.tar(tmp_path / "shard-0.tar", {**_tar_files(), "0002.jpg": b"two"})
    assert find_images(str(tmp_path), None, SPLITS).fingerprint != before


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("b.parquet", "is not a Parquet file, or is damaged"),
        ("b.tar", "is not a tar file"),
        ("b.tfrecord", "is not a TFRecord file, or is damaged, after 0 records"),
    ],
)
def test_a_file_of_another_format_than_its_name_says_is_refused(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / name).write_bytes(b"something else " * 100)
    with pytest.raises(BadInput, match=f"no image can be used. The first: {name} {reason}"):
        find_images(str(tmp_path), None, SPLITS)


def test_files_of_two_formats_are_refused(write: Any, tmp_path: Path) -> None:
    _as_tar(write, tmp_path)
    _as_tfrecord(write, tmp_path)
    with pytest.raises(
        BadInput, match=r"several formats \(tfrecord, webdataset\)\. Choose one in data\.layout\.format"
    ):
        find_images(str(tmp_path), None, SPLITS)
    assert len(find_images(str(tmp_path / "a.tfrecord"), None, SPLITS).entries) == 4


def test_the_chosen_format_is_read_and_other_files_do_not_count(write: Any, tmp_path: Path) -> None:
    _as_parquet(write, tmp_path)
    _as_tar(write, tmp_path)
    (tmp_path / "one.jpg").write_bytes(IMAGES[0])
    (tmp_path / "README.md").write_text("not an image")
    sources = find_images(str(tmp_path), None, SPLITS, Layout(format="parquet"))
    assert _contents(sources, Layout(format="parquet")) == IMAGES
    assert {entry.split for entry in sources.entries} == {"train"}  # by the name of the file
    assert {(one.name, one.counts) for one in sources.left_out} == {("one.jpg", False), ("shard-0.tar", False)}
    assert sources.skipped == {".md": 1}


def test_a_chosen_format_is_read_from_files_without_a_suffix(write: Any, tmp_path: Path) -> None:
    _as_parquet(write, tmp_path)
    (tmp_path / "data/train.parquet").rename(tmp_path / "data/train")
    (tmp_path / "README.md").write_text("not an image")
    sources = find_images(str(tmp_path), None, SPLITS, Layout(format="parquet"))
    assert _contents(sources, Layout(format="parquet")) == IMAGES
    assert sources.left_out == ()


def test_an_unknown_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "images.zip").touch()
    entry = Entry(str(tmp_path / "images.zip"), "images.zip/0", "cat", row=0)
    with pytest.raises(BadInput, match=r"'zip' is not a format .* Use tfrecord, webdataset or parquet\."):
        list(images_of([entry], "zip", Layout()))


def test_images_in_the_damaged_part_of_a_file_are_lost_and_the_others_are_not(write: Any, tmp_path: Path) -> None:
    _as_compressed_tar(write, tmp_path)
    path = tmp_path / "shard-0.tar.gz"
    entries = [replace(entry, listed=None) for entry in find_images(str(tmp_path), None, SPLITS).entries]
    write.tar(path, dict(list(_tar_files().items())[:4]), "w:gz")  # two of the four samples
    found = dict(images_of(entries, "webdataset", Layout()))
    assert list(found.values()) == [*IMAGES[:2], *(LeftOut(entry.name, LOST) for entry in entries[2:])]
    with (tmp_path / "plain").open("wb") as file:
        unpacked = list(unpack(entries, "webdataset", Layout(), file, str(tmp_path / "plain")))
    assert [entry.row for entry in unpacked] == [None, None, 2, 3]


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_a_shard_that_changed_after_it_was_listed_is_left_out(write: Any, tmp_path: Path, mode: str) -> None:
    path = tmp_path / "0.tar"
    write.tar(path, _tar_files(), mode)
    entries = find_images(str(tmp_path), None, SPLITS).entries
    write.tar(path, dict.fromkeys(_tar_files(), b"other"), mode)
    found = [one for _, one in images_of(entries, "webdataset", Layout())]
    assert found == [
        LeftOut(entry.name, "cannot be read: it has changed since the images were listed") for entry in entries
    ]
