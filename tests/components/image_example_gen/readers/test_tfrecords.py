"""TFRecords of tf.Examples, whole and broken."""

import gzip
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from efficientmixnet.components.image_example_gen.layout import Layout
from efficientmixnet.components.image_example_gen.readers.by_format import images_of
from efficientmixnet.components.image_example_gen.sources import LeftOut, find_images
from efficientmixnet.modules.exceptions import BadInput

SPLITS = frozenset({"train", "eval"})


def test_a_further_feature_named_like_our_own_is_refused(write: Any, tmp_path: Path) -> None:
    write.tfrecord(tmp_path / "a.tfrecord", [write.example(b"p", "cat"), write.example(b"q", "dog")])
    clash = Layout(features=("image/source",))
    with pytest.raises(BadInput, match=r"'image/source' starts with 'image/', like our own features"):
        find_images(str(tmp_path), None, SPLITS, clash)


@pytest.mark.parametrize("compression", ["", "GZIP"])
def test_a_truncated_tfrecord_gives_its_whole_records(write: Any, tmp_path: Path, compression: str) -> None:
    path = tmp_path / "a.tfrecord"
    write.tfrecord(path, [write.example(bytes([i]) * 50, "cat" if i % 2 else "dog") for i in range(20)], compression)
    content = path.read_bytes() if not compression else gzip.decompress(path.read_bytes())
    cut = content[: len(content) - 60]
    path.write_bytes(cut if not compression else gzip.compress(cut))
    sources = find_images(str(tmp_path), None, SPLITS)
    assert len(sources.entries) == 19
    assert sources.left_out == (LeftOut("a.tfrecord", "is truncated after 19 records"),)


def test_only_the_damaged_record_is_left_out(write: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.tfrecord"
    write.tfrecord(
        path, [write.example(b"0" * 50, "cat"), write.example(b"1" * 50, "cat"), write.example(b"2" * 50, "dog")]
    )
    path.write_bytes(path.read_bytes().replace(b"1" * 50, b"3" * 50))
    sources = find_images(str(tmp_path), None, SPLITS, Layout())
    assert [item.row() for item in sources.left_out] == [("a.tfrecord/1", "is damaged: its checksum is wrong")]


def test_for_a_record_without_a_label_the_message_lists_its_features(write: Any, tmp_path: Path) -> None:
    write.tfrecord(tmp_path / "a.tfrecord", [write.example(b"p", "cat", name="class")])
    with pytest.raises(BadInput, match=r"has no feature 'image/class/label'; it has class, image/encoded, image/sou"):
        find_images(str(tmp_path), None, SPLITS)


def test_a_record_longer_than_its_file_is_not_read(write: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.tfrecord"
    write.tfrecord(path, [write.example(b"p", "cat"), write.example(b"q", "dog")])
    head = bytes.fromhex("0000000000000080") + (0xB6670895).to_bytes(4, "little")  # 2 ** 63, and its checksum
    path.write_bytes(path.read_bytes() + head)
    (left_out,) = find_images(str(tmp_path), None, SPLITS).left_out
    assert left_out.row() == ("a.tfrecord", "is truncated after 2 records")


def test_a_damaged_compressed_file_is_left_out(write: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.tfrecord"
    write.tfrecord(path, [write.example(bytes([i]) * 5000, "cat" if i % 2 else "dog") for i in range(200)], "GZIP")
    content = bytearray(path.read_bytes())
    content[-60:-40] = b"\xff" * 20
    path.write_bytes(content)
    sources = find_images(str(tmp_path), None, SPLITS)
    assert len(sources.entries) > 100
    assert "records" in sources.left_out[-1].reason


@pytest.mark.parametrize("compression", ["", "GZIP"])
def test_a_large_record_is_left_out_and_not_unpacked(write: Any, tmp_path: Path, compression: str) -> None:
    examples = [write.example(b"p", "cat"), write.example(bytes(2**25), "cat"), write.example(b"q", "dog")]
    write.tfrecord(tmp_path / "a.tfrecord", examples, compression)
    tracemalloc.start()
    sources = find_images(str(tmp_path), None, SPLITS, max_image_bytes=1000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**23
    assert [entry.name for entry in sources.entries] == ["a.tfrecord/0", "a.tfrecord/2"]
    assert [item.row() for item in sources.left_out] == [
        ("a.tfrecord/1", f"has {len(examples[1]):,} bytes, over the limit (data.max_image_bytes: 1000)")
    ]
    assert [one for _, one in images_of(sources.entries, "tfrecord", Layout())] == [b"p", b"q"]


def test_a_file_without_bytes_is_left_out(write: Any, tmp_path: Path) -> None:
    write.tfrecord(tmp_path / "a.tfrecord", [write.example(b"a", 0), write.example(b"b", 1)] * 5)
    (tmp_path / "b.tfrecord").touch()
    (left_out,) = find_images(str(tmp_path), None, SPLITS).left_out
    assert left_out.row() == ("b.tfrecord", "cannot be read: has zero bytes")
    assert left_out.images == 10  # as many as in the other file


@pytest.mark.parametrize("name", ["a.tfrecord", "test.tfrecord"])
def test_only_the_record_without_a_label_is_left_out(write: Any, tmp_path: Path, name: str) -> None:
    labeled = [write.example(b"p", "cat"), write.example(b"q", "dog")]
    write.tfrecord(tmp_path / name, [write.example(b"o", 5, "id"), *labeled])
    if name.startswith("test"):
        write.tfrecord(tmp_path / "train.tfrecord", labeled)
    sources = find_images(str(tmp_path), None, SPLITS)
    assert [entry.label for entry in sources.entries if entry.name.startswith(name)] == ["cat", "dog"]
    assert sources.left_out == (LeftOut(f"{name}/0", "has no label"),)
    assert not any("have no labels" in note for note in sources.notes)


def test_only_the_record_without_an_image_is_left_out(write: Any, tmp_path: Path) -> None:
    layout = Layout(image="image/source")
    bare = write.example(b"p", "cat").replace(b"image/source", b"image/target")
    write.tfrecord(tmp_path / "a.tfrecord", [bare, write.example(b"p", "cat"), write.example(b"q", "dog")])
    sources = find_images(str(tmp_path), None, SPLITS, layout)
    assert [entry.label for entry in sources.entries] == ["cat", "dog"]
    assert sources.left_out == (LeftOut("a.tfrecord/0", "has no feature 'image/source'"),)


def test_a_record_with_several_images_is_left_out(write: Any, tmp_path: Path) -> None:
    several = tf.train.Example.FromString(write.example(b"p", "cat"))
    name = next(name for name, one in several.features.feature.items() if b"p" in one.bytes_list.value)
    several.features.feature[name].bytes_list.value.append(b"r")
    records = [several.SerializeToString(), write.example(b"p", "cat"), write.example(b"q", "dog")]
    write.tfrecord(tmp_path / "a.tfrecord", records)
    sources = find_images(str(tmp_path), None, SPLITS)
    assert [entry.label for entry in sources.entries] == ["cat", "dog"]
    (left_out,) = sources.left_out
    assert (left_out.row(), left_out.images) == (("a.tfrecord/0", f"has 2 images in {name!r}"), 2)


def test_text_and_numbers_are_not_mixed_in_the_labels_of_a_file(write: Any, tmp_path: Path) -> None:
    number = write.example(b"r", 1, "image/class/label")
    write.tfrecord(tmp_path / "a.tfrecord", [write.example(b"p", "cat"), number, write.example(b"q", "dog")])
    sources = find_images(str(tmp_path), None, SPLITS)
    assert set(sources.labels) == {"cat", "dog"}
    assert sources.left_out == (LeftOut("a.tfrecord/1", "has no label"),)
