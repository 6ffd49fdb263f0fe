"""Hugging Face's metadata.csv and metadata.jsonl in the data folder."""

import json
import re
import unicodedata
from pathlib import Path

import pytest

from efficientmixnet.components.image_example_gen.layout import Layout
from efficientmixnet.components.image_example_gen.sources import LeftOut, find_images
from efficientmixnet.modules.exceptions import BadInput

SPLITS = frozenset({"train", "eval"})
OUTSIDE = "is not a file in the folder of its metadata ({}); data.manifest can name files elsewhere"


def _touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_the_metadata_names_images_and_labels(tmp_path: Path) -> None:
    _touch(tmp_path, "1.png", "sub/2.png", "3.png", "notes.txt")
    (tmp_path / "metadata.csv").write_text("file_name,label,site\n1.png,cat,north\nsub/2.png,dog,south\n")
    sources = find_images(str(tmp_path), None, SPLITS)
    assert [(entry.name, entry.label, entry.split, entry.columns) for entry in sources.entries] == [
        ("1.png", "cat", None, (("site", "north"),)),
        ("sub/2.png", "dog", None, (("site", "south"),)),
    ]
    assert sources.left_out == (LeftOut("3.png", "is not listed in the metadata", counts=False),)
    assert sources.notes == ("metadata.csv has the labels",)


@pytest.mark.parametrize(
    ("name", "shown"),
    [("../secret.png",) * 2, ("/{}/secret.png",) * 2, ("sub/../../secret.png", "../secret.png")],
)
def test_an_image_outside_the_data_folder_is_left_out(tmp_path: Path, name: str, shown: str) -> None:
    data, root = tmp_path / "data", str(tmp_path).strip("/")
    _touch(tmp_path, "secret.png", "data/1.png", "data/2.png", "data/sub/3.png")
    (data / "metadata.csv").write_text(f"file_name,label\n1.png,a\n2.png,b\nsub/3.png,a\n{name.format(root)},b\n")
    sources = find_images(str(data), None, SPLITS)
    assert len(sources.entries) == 3
    assert sources.left_out == (LeftOut(shown.format(root), OUTSIDE.format("metadata.csv, line 5")),)


def test_a_deeply_nested_file_is_no_metadata(tmp_path: Path) -> None:
    _touch(tmp_path, "a/1.png", "a/2.png", "b/1.png", "b/2.png")
    (tmp_path / "metadata.jsonl").write_text('{"file_name": ' + "[" * 100_000 + "]" * 100_000 + "}\n")
    assert set(find_images(str(tmp_path), None, SPLITS).labels) == {"a", "b"}


def test_the_folder_of_the_metadata_is_the_split(tmp_path: Path) -> None:
    for split, names in {"train": ("1.png", "2.png"), "validation": ("1.png",)}.items():
        _touch(tmp_path, *(f"{split}/{name}" for name in names))
        rows = [json.dumps({"file_name": name, "label": label}) for name, label in zip(names, (0, 1), strict=False)]
        (tmp_path / split / "metadata.jsonl").write_text("\n".join(rows))
    found = find_images(str(tmp_path), None, SPLITS).entries
    assert [(entry.name, entry.label, entry.split) for entry in found] == [
        ("train/1.png", "0", "train"),
        ("train/2.png", "1", "train"),
        ("validation/1.png", "0", "eval"),
    ]
    assert [entry.path for entry in found] == [str(tmp_path / entry.name) for entry in found]


def test_a_column_of_splits_comes_before_the_folder(tmp_path: Path) -> None:
    _touch(tmp_path, "train/1.png", "train/2.png")
    (tmp_path / "metadata.csv").write_text("file_name,label,split\ntrain/1.png,a,val\ntrain/2.png,b,\n")
    assert [entry.split for entry in find_images(str(tmp_path), None, SPLITS).entries] == ["eval", "train"]


def test_a_manifest_may_name_images_as_the_metadata_does(tmp_path: Path) -> None:
    _touch(tmp_path, "1.png", "2.png")
    (tmp_path / "list.csv").write_text("file_name,label,split\n1.png,a,dev\n2.png,b,Training\n")
    found = find_images(str(tmp_path), str(tmp_path / "list.csv"), SPLITS).entries
    assert [(entry.name, entry.split) for entry in found] == [("1.png", "eval"), ("2.png", "train")]


def _listed(folder: Path, labels: dict[str, str]) -> dict[str, str | None]:
    """Returns the split of each image of metadata.csv in the data folder."""
    _touch(folder, *labels)
    rows = "".join(f"{name},{label}\n" for name, label in labels.items())
    (folder / "metadata.csv").write_text(f"file_name,label\n{rows}")
    return {entry.name: entry.split for entry in find_images(str(folder), None, SPLITS).entries}


def test_class_folders_are_no_splits(tmp_path: Path) -> None:
    flat = {f"{label}/{number}.png": label for label in ("test_tube", "beaker") for number in range(2)}
    assert _listed(tmp_path / "flat", flat) == dict.fromkeys(flat)
    in_splits = {f"{split}/{name}": label for split in ("train", "val") for name, label in flat.items()}
    meaning = {"train": "train", "val": "eval"}
    assert _listed(tmp_path / "deep", in_splits) == {name: meaning[name.split("/")[0]] for name in in_splits}


def test_folders_without_training_images_need_two_splits(tmp_path: Path) -> None:
    one = {"test_data/1.png": "a", "test_data/2.png": "b"}
    assert _listed(tmp_path / "one", one) == dict.fromkeys(one)
    two = {"test_data/val/1.png": "a", "test_data/val/2.png": "b", "test_data/train/3.png": "b"}
    assert list(_listed(tmp_path / "two", two).values()) == ["train", "eval", "eval"]


def test_every_image_may_have_a_folder_of_a_split(tmp_path: Path) -> None:
    labels = {"train_1/0.png": "a", "train_2/0.png": "b", "test_1/0.png": "a"}
    assert _listed(tmp_path, labels) == {name: name.split("_")[0] for name in labels}


@pytest.mark.parametrize(("training", "lost"), [("learn", "learn"), ("train", "extra")])
def test_a_folder_in_no_split_is_refused(tmp_path: Path, training: str, lost: str) -> None:
    labels = {f"{folder}/{label}.png": label for folder in (training, "extra", "test") for label in "ab"}
    with pytest.raises(BadInput, match=rf"the folder of {lost}/a\.png is in no split.*a column split, or rename"):
        _listed(tmp_path, labels)


@pytest.mark.parametrize("above", ["", "data/"])
def test_a_folder_between_split_and_image_has_no_effect(tmp_path: Path, above: str) -> None:
    names = [f"{above}{split}/images/{number}.png" for split in ("train", "test") for number in range(2)]
    _touch(tmp_path, *names)
    rows = "".join(f"{name},{'ab'[number % 2]}\n" for number, name in enumerate(names))
    (tmp_path / "metadata.csv").write_text(f"file_name,label\n{rows}")
    sources = find_images(str(tmp_path), None, SPLITS)
    assert {(entry.name, entry.split) for entry in sources.entries} == {(n, n.split("/")[-3]) for n in names}
    assert sources.notes == (
        "metadata.csv has the labels",
        "the metadata or folders name the splits test, train",
    )


@pytest.mark.parametrize(
    ("text", "encoding", "message"),
    [
        ("file_name,label,note\na/1.png,x,gr\u00fcn\n", "cp1252", "is not UTF-8"),
        ("file_name,label\na/1.png,x\n", "utf-16", "is not UTF-8"),
        ('"file_name";"label"\na/1.png;x\n', "utf-8", "Separate values by commas"),
        ("file_name\tlabel\na/1.png\tx\n", "utf-8", "separated by commas"),
    ],
)
def test_metadata_in_another_form_is_refused(tmp_path: Path, text: str, encoding: str, message: str) -> None:
    _touch(tmp_path, "a/1.png", "b/1.png")
    (tmp_path / "metadata.csv").write_text(text, encoding=encoding)
    with pytest.raises(BadInput, match=message):
        find_images(str(tmp_path), None, SPLITS)


def test_a_row_with_more_values_than_columns_is_refused(tmp_path: Path) -> None:
    _touch(tmp_path, "1.png", "2.png")
    (tmp_path / "metadata.csv").write_text("file_name,label\n1.png,crane, bird\n2.png,dog\n")
    with pytest.raises(BadInput, match=r"metadata\.csv, line 2 has more values than the header has columns"):
        find_images(str(tmp_path), None, SPLITS)


def test_images_in_another_form_of_unicode_are_listed(tmp_path: Path) -> None:
    names = [unicodedata.normalize("NFD", name) for name in ("é.png", "ü.png")]
    _touch(tmp_path, *names)
    rows = "".join(f"{unicodedata.normalize('NFC', name)},{label}\n" for name, label in zip(names, "ab", strict=True))
    (tmp_path / "metadata.csv").write_text(f"file_name,label\n{rows}")
    sources = find_images(str(tmp_path), None, SPLITS)
    assert {entry.name: entry.label for entry in sources.entries} == dict(zip(names, "ab", strict=True))
    assert sources.left_out == ()


@pytest.mark.parametrize("header", ["file_name,label", "file_name,label,part"])
def test_a_column_of_splits_without_a_value_is_refused_though_folders_name_splits(tmp_path: Path, header: str) -> None:
    names = [f"{split}/{number}.png" for split in ("train", "test") for number in range(2)]
    _touch(tmp_path, *names)
    rows = "".join(f"{name},{'ab'[number % 2]}\n" for number, name in enumerate(names))
    (tmp_path / "metadata.csv").write_text(f"{header}\n{rows}")
    with pytest.raises(BadInput, match=r"data\.layout\.split: no image has a value in 'part'\."):
        find_images(str(tmp_path), None, SPLITS, Layout(split="part"))


def _two_tables(data: Path, first: str, second: str) -> None:
    _touch(data, "a/1.png", "a/2.png")
    (data / "metadata.csv").write_text(f"file_name,label,split\na/1.png,x,train\na/2.png,{first}\n")
    (data / "a/metadata.jsonl").write_text(second)


def test_an_image_in_two_splits_of_two_tables_is_refused(tmp_path: Path) -> None:
    _two_tables(tmp_path, "y,train", '{"file_name": "2.png", "label": "y", "split": "val"}')
    message = (
        r"^data\.images: a/2\.png is in train \(metadata\.csv, line 3\) and in eval \(a/metadata\.jsonl, line 1\)\. "
        r"Remove one of the two rows\.$"
    )
    with pytest.raises(BadInput, match=message):
        find_images(str(tmp_path), None, SPLITS)


def test_an_image_of_two_tables_is_read_once_and_a_second_label_is_left_out(tmp_path: Path) -> None:
    _two_tables(tmp_path, "y,train", '{"file_name": "2.png", "label": "y", "split": "Training"}')
    sources = find_images(str(tmp_path), None, SPLITS)
    assert (sources.labels, sources.left_out) == ({"x": 1, "y": 1}, ())
    _two_tables(tmp_path, "y,train", '{"file_name": "./2.png", "label": "z", "split": "train"}')
    reason = "is already listed with the label 'y' (a/metadata.jsonl, line 1)"
    assert find_images(str(tmp_path), None, SPLITS).left_out == (LeftOut("a/2.png", reason, counts=True),)


def test_images_beside_the_folder_of_the_metadata_name_the_row_and_the_cure(tmp_path: Path) -> None:
    _touch(tmp_path, "images/a.png", "images/b.png", "annot/list.txt")
    (tmp_path / "annot/metadata.csv").write_text("file_name,label\n../images/a.png,x\n../images/b.png,y\n")
    reason = re.escape(OUTSIDE.format("annot/metadata.csv, line 2"))
    with pytest.raises(BadInput, match=rf"no image can be used\. The first: images/a\.png {reason}\.$"):
        find_images(str(tmp_path), None, SPLITS)
    (tmp_path / "metadata.csv").write_text("file_name,label\nimages/a.png,x\nannot/../images/b.png,y\n")
    (tmp_path / "annot/metadata.csv").unlink()
    assert [entry.name for entry in find_images(str(tmp_path), None, SPLITS).entries] == [
        "images/a.png",
        "images/b.png",
    ]


@pytest.mark.parametrize("data", ["./data", "data/", "other/../data"])
def test_the_data_folder_may_be_written_in_another_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: str
) -> None:
    _touch(tmp_path, "data/1.png", "data/2.png", "other/1.png")
    (tmp_path / "data/metadata.csv").write_text("file_name,label\n1.png,a\n2.png,b\n")
    monkeypatch.chdir(tmp_path)
    sources = find_images(data, None, SPLITS)
    assert ([entry.name for entry in sources.entries], sources.left_out) == (["1.png", "2.png"], ())


def test_metadata_asks_no_other_server(tmp_path: Path, shelf: dict[str, bytes]) -> None:
    shelf["shelf://other/3.png"] = b"image"
    _touch(tmp_path, "1.png", "2.png")
    (tmp_path / "metadata.csv").write_text("file_name,label\n1.png,a\n2.png,b\nshelf://other/3.png,a\n")
    sources = find_images(str(tmp_path), None, SPLITS)
    assert sources.left_out == (LeftOut("shelf://other/3.png", OUTSIDE.format("metadata.csv, line 4")),)


@pytest.mark.parametrize(
    ("with_metadata", "without", "counts"),
    [
        (("train",), "val", True),
        (("val",), "train", True),
        (("cat", "dog"), "fox", True),
        (("train", "val"), "test", False),
        (("train", "val"), "masks", False),
        (("cat", "dog"), "unlabeled", False),
    ],
)
def test_images_in_a_folder_without_metadata_count_unless_they_need_no_label(
    tmp_path: Path, with_metadata: tuple[str, ...], without: str, counts: bool
) -> None:
    for folder in with_metadata:
        _touch(tmp_path, f"{folder}/1.png", f"{folder}/2.png", f"{folder}/3.png")
        (tmp_path / folder / "metadata.csv").write_text("file_name,label\n1.png,a\n2.png,b\n")
    _touch(tmp_path, f"{without}/a/1.png", f"{without}/notes.txt")
    sources = find_images(str(tmp_path), None, SPLITS)
    assert set(sources.left_out) == {
        *(LeftOut(f"{folder}/3.png", "is not listed in the metadata", counts=False) for folder in with_metadata),
        LeftOut(f"{without}/a/1.png", "has no metadata in its folder or above it", counts=counts),
    }
    assert sources.skipped == {".txt": 1}
