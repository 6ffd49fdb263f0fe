"""TFRecords, tar shards and Parquet files become entries; a broken one is told by its name and says why."""

import gzip
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
import tensorflow as tf

from efficientmixnet.components.image_example_gen.containers import pictures_of, unpack
from efficientmixnet.components.image_example_gen.entry import LeftOut
from efficientmixnet.components.image_example_gen.layout import Layout
from efficientmixnet.components.image_example_gen.sources import Sources, find_pictures
from efficientmixnet.modules.bad_input import BadInput

SPLITS = frozenset({"train", "eval"})
# Nothing here decodes a picture, so any bytes will do: of several lengths, with zeros, and one within another.
PICTURES = [b"\xff\xd8one", b"\xff\xd8\0\0two" * 300, b"one", b"\x89PNG" + bytes(range(256))]
LABELS = ["cat", "dog", "große Katze", "cat"]

Write = Callable[..., None]


def _example(picture: bytes, label: str | int, name: str = "image/class/text") -> bytes:
    example = tf.train.Example()
    example.features.feature["image/encoded"].bytes_list.value.append(picture)
    if isinstance(label, int):
        example.features.feature[name].int64_list.value.append(label)
    else:
        example.features.feature[name].bytes_list.value.append(label.encode())
    example.features.feature["image/source"].bytes_list.value.append(b"web")
    return example.SerializeToString()


def write_tfrecord(path: Path, examples: list[bytes], compression: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(path), compression) as writer:
        for example in examples:
            writer.write(example)


def write_tar(path: Path, files: dict[str, bytes], mode: str = "w") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, mode) as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))


def write_parquet(path: Path, columns: dict[str, list], metadata: dict[str, str] | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pyarrow.table(columns)
    pyarrow.parquet.write_table(table.replace_schema_metadata(metadata), path, row_group_size=2)


def _as_tfrecord(data: Path) -> None:
    write_tfrecord(data / "a.tfrecord", [_example(*pair) for pair in zip(PICTURES, LABELS, strict=True)])


def _as_compressed_tfrecord(data: Path) -> None:
    write_tfrecord(
        data / "train-00000-of-00001.gz", [_example(*pair) for pair in zip(PICTURES, LABELS, strict=True)], "GZIP"
    )


def _tar_files() -> dict[str, bytes]:
    files = {}
    for number, (picture, label) in enumerate(zip(PICTURES, LABELS, strict=True)):
        files[f"./{number:04d}.cls"] = label.encode()
        files[f"./{number:04d}.jpg"] = picture
    return files


def _as_tar(data: Path) -> None:
    write_tar(data / "shard-0.tar", _tar_files())


def _as_compressed_tar(data: Path) -> None:
    write_tar(data / "shard-0.tar.gz", _tar_files(), "w:gz")


def _as_parquet(data: Path) -> None:
    write_parquet(data / "data/train.parquet", {"image": PICTURES, "label": LABELS})


def _as_hugging_face(data: Path) -> None:
    names = sorted(set(LABELS))
    about = {"info": {"features": {"label": {"names": names, "_type": "ClassLabel"}}}}
    images = [{"bytes": picture, "path": None} for picture in PICTURES]
    numbers = [names.index(label) for label in LABELS]
    write_parquet(data / "0.parquet", {"image": images, "label": numbers}, {"huggingface": json.dumps(about)})


def _contents(sources: Sources, layout: Layout | None = None) -> list[bytes]:
    found = {entry.name: encoded for entry, encoded in pictures_of(sources.entries, sources.format, layout or Layout())}
    return [found[entry.name] for entry in sources.entries]


@pytest.mark.parametrize(
    "write", [_as_tfrecord, _as_compressed_tfrecord, _as_tar, _as_compressed_tar, _as_parquet, _as_hugging_face]
)
def test_every_format_gives_the_same_pictures_and_labels(tmp_path: Path, write: Write) -> None:
    write(tmp_path)
    sources = find_pictures(str(tmp_path), None, SPLITS)
    assert [entry.label for entry in sources.entries] == LABELS
    assert _contents(sources) == PICTURES
    assert sources.left_out == ()


@pytest.mark.parametrize("write", [_as_compressed_tfrecord, _as_compressed_tar, _as_parquet])
def test_what_can_only_be_read_in_order_is_unpacked_into_one_file(tmp_path: Path, write: Write) -> None:
    write(tmp_path / "data")
    sources = find_pictures(str(tmp_path / "data"), None, SPLITS)
    plain = tmp_path / "plain"
    with plain.open("wb") as file:
        entries = tuple(unpack(sources.entries, sources.format, Layout(), file, str(plain)))
    assert [entry.name for entry in entries] == [entry.name for entry in sources.entries]
    assert [encoded for _, encoded in pictures_of(entries, "folders", Layout())] == PICTURES
    assert plain.read_bytes() == b"".join(PICTURES)


def test_one_file_alone_can_be_the_data(tmp_path: Path) -> None:
    _as_tar(tmp_path)
    sources = find_pictures(str(tmp_path / "shard-0.tar"), None, SPLITS)
    assert [entry.name for entry in sources.entries] == [f"shard-0.tar/{number:04d}" for number in range(4)]


def test_the_fingerprint_changes_with_the_file(tmp_path: Path) -> None:
    _as_tar(tmp_path)
    before = find_pictures(str(tmp_path), None, SPLITS).fingerprint
    assert find_pictures(str(tmp_path), None, SPLITS).fingerprint == before
    write_tar(tmp_path / "shard-0.tar", {**_tar_files(), "0002.jpg": b"two"})
    assert find_pictures(str(tmp_path), None, SPLITS).fingerprint != before


def test_files_belong_to_the_splits_that_their_names_say(tmp_path: Path) -> None:
    for name in ("train-00000-of-00002", "train-00001-of-00002", "validation-00000-of-00001", "extra-00000-of-00001"):
        write_tfrecord(tmp_path / name, [_example(b"p", "cat"), _example(b"q", "dog")])
    layout = Layout(split_files={"train": "train-*", "eval": "validation-*"})
    sources = find_pictures(str(tmp_path), None, SPLITS, layout)
    assert [entry.split for entry in sources.entries] == ["train"] * 4 + ["eval"] * 2
    assert sources.left_out == (LeftOut("extra-00000-of-00001", "is of no split in data.layout.split_files", False),)


def test_a_split_of_class_folders_is_a_folder(tmp_path: Path) -> None:
    for name in ("train/cat/1.jpg", "train/dog/1.jpg", "val/cat/1.jpg"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    layout = Layout(split_files={"train": "train", "eval": "val"})
    found = find_pictures(str(tmp_path), None, SPLITS, layout).entries
    assert [(entry.split, entry.label) for entry in found] == [("train", "cat"), ("train", "dog"), ("eval", "cat")]


def test_class_folders_that_look_like_splits_are_refused_with_the_key_that_says_so(tmp_path: Path) -> None:
    for name in ("train/cat/1.jpg", "val/cat/1.jpg"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    with pytest.raises(BadInput, match=r"look like splits.*data\.layout\.split_files={train: train, eval: val}"):
        find_pictures(str(tmp_path), None, SPLITS)


def test_numbers_become_names_line_by_line(tmp_path: Path) -> None:
    names = tmp_path / "names.txt"
    names.write_text("background\ncat\ndog\n")
    data = tmp_path / "data"
    write_tfrecord(data / "a.tfrecord", [_example(b"p", number, "image/class/label") for number in (2, 1, 7)])
    sources = find_pictures(str(data), None, SPLITS, Layout(label_names=str(names)))
    assert [entry.label for entry in sources.entries] == ["dog", "cat"]
    assert sources.left_out == (LeftOut("a.tfrecord/2", "has no label: 7 has no name"),)


def test_features_and_columns_go_by_the_names_of_the_layout(tmp_path: Path) -> None:
    columns = {"photo": PICTURES, "kind": LABELS, "part": ["train", "eval", "test", None], "lux": [1, 2, 3, None]}
    write_parquet(tmp_path / "a.parquet", columns)
    layout = Layout(picture="photo", label="kind", split="part", features=("lux",))
    sources = find_pictures(str(tmp_path), None, SPLITS, layout)
    assert [(entry.split, entry.columns) for entry in sources.entries] == [
        ("train", (("lux", "1"),)),
        ("eval", (("lux", "2"),)),
        (None, (("lux", ""),)),
    ]
    assert sources.left_out == (LeftOut("a.parquet/2", "is of split 'test', which is none of eval, train"),)


def test_a_tf_examples_further_features_are_kept_where_they_are_asked_for(tmp_path: Path) -> None:
    write_tfrecord(tmp_path / "a.tfrecord", [_example(b"p", "cat"), _example(b"q", "dog")])
    clash = Layout(features=("image/source",))
    with pytest.raises(BadInput, match=r"'image/source' begins as our own features do"):
        find_pictures(str(tmp_path), None, SPLITS, clash)


def test_a_label_in_json_and_what_else_it_says(tmp_path: Path) -> None:
    files = {
        "a/0.PNG": b"p",
        "a/0.json": b'{"label": "cat", "camera": {"iso": 100}}',
        "a/1.json": b'{"label": "dog", "camera": "phone"}',
        "a/1.png": b"q",
        "a/.hidden.png": b"",
    }
    write_tar(tmp_path / "0.tar", files)
    found = find_pictures(str(tmp_path), None, SPLITS, Layout(features=("camera",))).entries
    assert [(entry.label, entry.columns) for entry in found] == [
        ("cat", (("camera", '{"iso": 100}'),)),
        ("dog", (("camera", "phone"),)),
    ]


@pytest.mark.parametrize(
    ("files", "name", "reason"),
    [
        ({"2.cls": b"cat"}, "2", "has no picture"),
        ({"2.jpg": b"p"}, "2", "has no label (no .cls, no label in .json)"),
        ({"2.jpg": b"p", "2.cls": b" \n"}, "2", "has no label: "),
        ({"2.jpg": b"p", "2.json": b"{"}, "2", "has a .json file that is not JSON"),
    ],
)
def test_a_bad_sample_of_a_tar_shard_is_left_out(tmp_path: Path, files: dict, name: str, reason: str) -> None:
    good = {"0.jpg": b"p", "0.cls": b"cat", "1.jpg": b"q", "1.cls": b"dog"}
    write_tar(tmp_path / "a.tar", {**good, **files})
    (left_out,) = find_pictures(str(tmp_path), None, SPLITS).left_out
    assert left_out.name == f"a.tar/{name}"
    assert left_out.reason.startswith(reason)


@pytest.mark.parametrize("lost", [1024, 10240 - 1, 10240 + 1000])
def test_a_truncated_tar_shard_gives_what_it_has_and_is_named(tmp_path: Path, lost: int) -> None:
    files = {f"{i:03d}.{kind}": b"cd"[i % 2 : i % 2 + 1] * 700 for i in range(20) for kind in ("cls", "jpg")}
    write_tar(tmp_path / "a.tar", files)
    whole = (tmp_path / "a.tar").read_bytes().rstrip(b"\0")
    (tmp_path / "a.tar").write_bytes(whole[: len(whole) - lost])
    sources = find_pictures(str(tmp_path), None, SPLITS)
    assert 10 < len(sources.entries) < 20
    left_out = sources.left_out[-1]
    assert left_out.name == "a.tar"
    assert left_out.reason.startswith("is truncated after ")


@pytest.mark.parametrize("compression", ["", "GZIP"])
def test_a_truncated_tfrecord_gives_what_it_has_and_is_named(tmp_path: Path, compression: str) -> None:
    path = tmp_path / "a.tfrecord"
    write_tfrecord(path, [_example(bytes([i]) * 50, "cat" if i % 2 else "dog") for i in range(20)], compression)
    content = path.read_bytes() if not compression else gzip.decompress(path.read_bytes())
    cut = content[: len(content) - 60]
    path.write_bytes(cut if not compression else gzip.compress(cut))
    sources = find_pictures(str(tmp_path), None, SPLITS)
    assert len(sources.entries) == 19
    assert sources.left_out == (LeftOut("a.tfrecord", "is truncated after 19 records"),)


def test_a_damaged_record_is_left_out_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.tfrecord"
    write_tfrecord(path, [_example(b"0" * 50, "cat"), _example(b"1" * 50, "cat"), _example(b"2" * 50, "dog")])
    path.write_bytes(path.read_bytes().replace(b"1" * 50, b"3" * 50))
    sources = find_pictures(str(tmp_path), None, SPLITS, Layout())
    assert [item.row() for item in sources.left_out] == [("a.tfrecord/1", "is damaged: its checksum differs")]


def test_a_record_without_its_label_names_the_features_that_there_are(tmp_path: Path) -> None:
    write_tfrecord(tmp_path / "a.tfrecord", [_example(b"p", "cat", name="class")])
    with pytest.raises(BadInput, match=r"has no feature 'image/class/label'; it has class, image/encoded, image/sou"):
        find_pictures(str(tmp_path), None, SPLITS)


def test_a_table_without_its_label_names_the_columns_that_there_are(tmp_path: Path) -> None:
    write_parquet(tmp_path / "a.parquet", {"image": PICTURES, "fine": LABELS})
    with pytest.raises(BadInput, match=r"has no column 'label'; its columns are image, fine: name those"):
        find_pictures(str(tmp_path), None, SPLITS)


def test_a_column_of_paths_holds_no_pictures(tmp_path: Path) -> None:
    write_parquet(tmp_path / "a.parquet", {"image": LABELS, "label": LABELS})
    with pytest.raises(BadInput, match=r"data\.layout\.picture: the column 'image' of .* holds string, no encoded"):
        find_pictures(str(tmp_path), None, SPLITS)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("b.parquet", "is no Parquet file, or a damaged one"),
        ("b.tar", "is no tar file"),
        ("b.tfrecord", "is damaged, or no TFRecord file, after 0 records"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_named(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / name).write_bytes(b"something else " * 100)
    with pytest.raises(BadInput, match=f"names no picture that could be read; the first: {name} {reason}"):
        find_pictures(str(tmp_path), None, SPLITS)


def test_files_of_two_formats_ask_which(tmp_path: Path) -> None:
    _as_tar(tmp_path)
    _as_tfrecord(tmp_path)
    with pytest.raises(BadInput, match=r"holds files of tfrecord and of webdataset; name one in data\.layout\.format"):
        find_pictures(str(tmp_path), None, SPLITS)
    assert len(find_pictures(str(tmp_path / "a.tfrecord"), None, SPLITS).entries) == 4
