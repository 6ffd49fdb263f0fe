"""Splits by file names, labels by number, and features and columns with other names."""

from pathlib import Path
from typing import Any

import pytest

from efficientmixnet.components.image_example_gen.layout import Layout
from efficientmixnet.components.image_example_gen.sources import LeftOut, find_images
from efficientmixnet.modules.exceptions import BadInput

SPLITS = frozenset({"train", "eval"})
# Nothing decodes these images, so any bytes will do.
IMAGES = [b"\xff\xd8one", b"\xff\xd8\0\0two" * 300, b"one", b"\x89PNG" + bytes(range(256))]
LABELS = ["cat", "dog", "große Katze", "cat"]


def test_the_names_of_files_decide_their_split(write: Any, tmp_path: Path) -> None:
    for name in ("train-00000-of-00002", "train-00001-of-00002", "validation-00000-of-00001", "extra-00000-of-00001"):
        write.tfrecord(tmp_path / name, [write.example(b"p", "cat"), write.example(b"q", "dog")])
    layout = Layout(split_files={"train": "train-*", "eval": "validation-*"})
    sources = find_images(str(tmp_path), None, SPLITS, layout)
    assert [entry.split for entry in sources.entries] == ["train"] * 4 + ["eval"] * 2
    assert sources.left_out == (LeftOut("extra-00000-of-00001", "is not in a split of data.layout.split_files", False),)


def test_a_split_can_be_a_folder_of_class_folders(tmp_path: Path) -> None:
    for name in ("train/cat/1.jpg", "train/dog/1.jpg", "val/cat/1.jpg"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    layout = Layout(split_files={"train": "train", "eval": "val"})
    found = find_images(str(tmp_path), None, SPLITS, layout).entries
    assert [(entry.split, entry.label) for entry in found] == [("train", "cat"), ("train", "dog"), ("eval", "cat")]


def test_labels_that_are_numbers_get_the_names_of_the_lines(write: Any, tmp_path: Path) -> None:
    names = tmp_path / "names.txt"
    names.write_text("background\ncat\ndog\n")
    data = tmp_path / "data"
    write.tfrecord(data / "a.tfrecord", [write.example(b"p", number, "image/class/label") for number in (2, 1, 7)])
    sources = find_images(str(data), None, SPLITS, Layout(label_names=str(names)))
    assert [entry.label for entry in sources.entries] == ["dog", "cat"]
    assert sources.left_out == (LeftOut("a.tfrecord/2", "has no label: 7 has no name"),)


def test_features_and_columns_have_the_names_of_the_layout(write: Any, tmp_path: Path) -> None:
    columns = {"photo": IMAGES, "kind": LABELS, "part": ["train", "eval", "extra", None], "lux": [1, 2, 3, None]}
    write.parquet(tmp_path / "a.parquet", columns)
    layout = Layout(image="photo", label="kind", split="part", features=("lux",))
    sources = find_images(str(tmp_path), None, SPLITS, layout)
    assert [(entry.split, entry.columns) for entry in sources.entries] == [
        ("train", (("lux", "1"),)),
        ("eval", (("lux", "2"),)),
        (None, (("lux", ""),)),
    ]
    assert sources.left_out == (
        LeftOut("a.parquet/2", "has the split 'extra', which is not one of eval, train; map it in data.split_names"),
    )


def test_label_names_that_cannot_be_read_are_refused(folder: Path) -> None:
    with pytest.raises(BadInput, match=r"data\.layout\.label_names: .*none\.txt cannot be read"):
        find_images(str(folder), None, SPLITS, Layout(label_names=str(folder / "none.txt")))


@pytest.mark.parametrize("form", ["class folders", "manifest", "TFRecord", "tar", "Parquet"])
def test_a_split_that_no_image_has_is_refused(write: Any, tmp_path: Path, form: str) -> None:
    data, manifest = tmp_path / "data", None
    if form == "TFRecord":
        write.tfrecord(data / "a.tfrecord", [write.example(b"p", "cat"), write.example(b"q", "dog")])
    elif form == "tar":
        write.tar(data / "a.tar", {"0.jpg": b"p", "0.cls": b"cat", "1.jpg": b"q", "1.cls": b"dog"})
    elif form == "Parquet":
        write.parquet(data / "a.parquet", {"image": [b"p", b"q"], "label": ["cat", "dog"], "fold": [None, ""]})
    else:
        for name in ("cat/1.jpg", "dog/1.jpg"):
            (data / name).parent.mkdir(parents=True)
            (data / name).touch()
    if form == "manifest":
        manifest = str(tmp_path / "list.csv")
        (tmp_path / "list.csv").write_text("path,label\ncat/1.jpg,cat\ndog/1.jpg,dog\n")
    with pytest.raises(BadInput, match=r"data\.layout\.split: no image has a value in 'fold'\. Name the column"):
        find_images(str(data), manifest, SPLITS, Layout(split="fold"))


@pytest.mark.parametrize("row", ["3.jpg,,Test", "3.jpg,a,fold 9", "4.jpg,a,eval"])
def test_a_split_that_only_images_left_out_have_is_found(tmp_path: Path, row: str) -> None:
    for number in range(1, 4):
        (tmp_path / f"{number}.jpg").touch()
    (tmp_path / "list.csv").write_text(f"path,label,fold\n1.jpg,a,\n2.jpg,b,\n{row}\n")
    sources = find_images(str(tmp_path), str(tmp_path / "list.csv"), SPLITS, Layout(split="fold"))
    assert [entry.split for entry in sources.entries] == [None, None]
    assert len(sources.left_out) == 1


def test_a_split_that_only_records_left_out_have_is_found(write: Any, tmp_path: Path) -> None:
    columns = {"image": [b"p"] * 3, "label": ["cat", "dog", None], "fold": [None, None, "test"]}
    write.parquet(tmp_path / "a.parquet", columns)
    sources = find_images(str(tmp_path), None, SPLITS, Layout(split="fold"))
    assert [entry.split for entry in sources.entries] == [None, None]
    assert sources.left_out == (LeftOut("a.parquet/2", "has no label", counts=False),)


def test_split_files_are_refused_with_a_manifest(folder: Path) -> None:
    (folder / "list.csv").write_text("path,label\ncat/1.png,cat\ndog/1.png,dog\n")
    layout = Layout(split_files={"train": "cat", "eval": "dog"})
    with pytest.raises(BadInput, match=r"data\.layout\.split_files: has no effect on data\.manifest\. Remove it"):
        find_images(str(folder), str(folder / "list.csv"), SPLITS, layout)


@pytest.mark.parametrize("key", ["image", "label", "features"])
def test_a_key_without_effect_on_class_folders_is_refused(folder: Path, key: str) -> None:
    layout = Layout.model_validate({key: ["site"] if key == "features" else "site"})
    with pytest.raises(BadInput, match=rf"^data\.layout\.{key}: has no effect on class folders\. Remove it"):
        find_images(str(folder), None, frozenset({"train", "eval"}), layout)
    (folder.parent / "list.csv").write_text("site,label\ncat/1.png,cat\ndog/1.png,dog\n")
    if key == "image":
        assert find_images(str(folder), str(folder.parent / "list.csv"), frozenset(), layout).labels


def test_a_group_is_refused_on_class_folders(folder: Path) -> None:
    with pytest.raises(BadInput, match=r"^data\.group: has no effect on class folders\. Remove it, or list the images"):
        find_images(str(folder), None, SPLITS, group="patient")


def test_a_span_without_a_pattern_is_refused(folder: Path) -> None:
    with pytest.raises(BadInput, match=r"^data\.layout\.span: has no effect, since neither data\.images nor"):
        find_images(str(folder), None, frozenset({"train", "eval"}), Layout(span=3))


def test_class_folders_that_are_numbers_get_names(tmp_path: Path) -> None:
    for name in ("0/1.png", "01/2.png", "2/3.png"):
        (tmp_path / "data" / name).parent.mkdir(parents=True)
        (tmp_path / "data" / name).touch()
    (tmp_path / "names.txt").write_text("cat\ndog\n")
    layout = Layout(label_names=str(tmp_path / "names.txt"))
    sources = find_images(str(tmp_path / "data"), None, frozenset({"train", "eval"}), layout)
    assert [(entry.name, entry.label) for entry in sources.entries] == [("0/1.png", "cat"), ("01/2.png", "dog")]
    assert [item.reason for item in sources.left_out] == ["has no label: the folder '2' names no class"]


def test_label_names_without_folders_that_are_numbers_are_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("cat\ndog\n")
    with pytest.raises(BadInput, match=r"^data\.layout\.label_names: has no effect, since no class folder is a number"):
        find_images(str(folder), None, frozenset({"train", "eval"}), Layout(label_names=str(tmp_path / "names.txt")))


@pytest.mark.parametrize(
    ("patterns", "pattern", "split"),
    [
        ({"train": "train", "eval": "vall"}, "vall", "eval"),
        ({"train": "*", "eval": "val"}, "val", "eval"),
        ({"train": "trian", "eval": "val"}, "trian", "train"),
    ],
)
def test_a_pattern_without_files_is_refused(tmp_path: Path, patterns: dict, pattern: str, split: str) -> None:
    for name in ("train/cat/1.png", "train/dog/1.png", "val/cat/1.png", "val/dog/1.png"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    message = rf"^data\.layout\.split_files: '{pattern}', the pattern of {split}, matches no file"
    with pytest.raises(BadInput, match=message):
        find_images(str(tmp_path), None, SPLITS, Layout(split_files=patterns))
