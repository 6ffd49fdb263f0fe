"""Splits that the names of folders and files give."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from efficientmixnet.components.image_example_gen.layout import Layout
from efficientmixnet.components.image_example_gen.sources import Sources, find_images
from efficientmixnet.modules.exceptions import BadInput

SPLITS = frozenset({"train", "eval"})


def _folders(data: Path, **counts: int) -> Path:
    """Writes files that are named as images. Dots in the keywords separate folders."""
    for folder, count in counts.items():
        for number in range(count):
            path = data / folder.replace(".", "/") / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    return data


def _found(sources: Sources) -> Counter:
    return Counter((entry.split, entry.label) for entry in sources.entries)


@pytest.mark.parametrize(
    ("training", "other", "split"),
    [
        ("train", "val", "eval"),
        ("Training", "Testing", "test"),
        ("TRAIN", "VAL", "eval"),
        ("seg_train.seg_train", "seg_test.seg_test", "test"),
        ("train_data", "test_data", "test"),
        ("traindataset", "testdataset", "test"),
        ("traindir", "valdir", "eval"),
        ("trainfolder", "testfolder", "test"),
        ("train.images", "valid.images", "eval"),
    ],
)
def test_folders_of_splits_are_used(tmp_path: Path, training: str, other: str, split: str) -> None:
    _folders(tmp_path, **{f"{training}.cat": 3, f"{training}.dog": 2, f"{other}.cat": 1, f"{other}.dog": 1})
    sources = find_images(str(tmp_path), None, SPLITS)
    assert _found(sources) == {("train", "cat"): 3, ("train", "dog"): 2, (split, "cat"): 1, (split, "dog"): 1}
    tops = training.split(".")[0], other.split(".")[0]
    assert sources.notes == (f"{tops[0]} is train", f"{tops[1]} is {split} (data.layout.split_files changes this)")
    assert sources.left_out == ()


def test_folders_of_splits_in_class_folders_are_used(tmp_path: Path) -> None:
    _folders(tmp_path, **{"cat.train": 3, "cat.test": 1, "dog.Train": 2, "dog.val": 1})
    found = _found(find_images(str(tmp_path), None, SPLITS))
    assert found == {("train", "cat"): 3, ("test", "cat"): 1, ("train", "dog"): 2, ("eval", "dog"): 1}


def test_other_folders_in_class_folders_are_ignored(tmp_path: Path) -> None:
    _folders(tmp_path, **{"cat.train": 3, "cat.indoors": 1, "dog.train": 2})
    assert _found(find_images(str(tmp_path), None, SPLITS)) == {(None, "cat"): 4, (None, "dog"): 2}


def test_class_folders_named_as_a_split_stay_classes(tmp_path: Path) -> None:
    sources = find_images(str(_folders(tmp_path, **{"train": 2, "bus": 1, "tram.old": 3})), None, SPLITS)
    assert _found(sources) == {(None, "train"): 2, (None, "bus"): 1, (None, "tram"): 3}
    assert sources.notes == ()


def test_folders_with_unknown_names_that_hold_the_same_folders_get_a_note(tmp_path: Path) -> None:
    _folders(tmp_path, **{f"{top}.{label}": 1 for top in ("A", "B") for label in ("cat", "dog")})
    sources = find_images(str(tmp_path), None, SPLITS)
    assert _found(sources) == {(None, "A"): 2, (None, "B"): 2}
    assert sources.notes == (
        "A and B are classes, and all hold the folders cat and dog; if these are the classes, map A and B in "
        "data.split_names",
    )
    _folders(tmp_path, **{"B.fox": 1})
    assert find_images(str(tmp_path), None, SPLITS).notes == ()


def test_class_folders_named_as_held_out_images_stay_classes(tmp_path: Path) -> None:
    found = _found(find_images(str(_folders(tmp_path, test_tube=2, test_strip=2)), None, SPLITS))
    assert found == {(None, "test_tube"): 2, (None, "test_strip"): 2}


def test_an_unlabeled_folder_beside_splits_is_not_used(tmp_path: Path) -> None:
    _folders(tmp_path, **{"train.cat": 2, "train.dog": 2, "test": 5, "seg_pred.seg_pred": 1})
    sources = find_images(str(tmp_path), None, SPLITS)
    assert _found(sources) == {("train", "cat"): 2, ("train", "dog"): 2}
    assert {(item.reason, item.counts) for item in sources.left_out} == {
        ("has no label, like all images in the same place", False)
    }
    assert sources.notes == (
        "train is train (data.layout.split_files changes this)",
        "the images in 'seg_pred' (1) have no labels and are not used",
        "the images in 'test' (5) have no labels and are not used",
    )


@pytest.mark.parametrize(
    ("folders", "message"),
    [
        ({"train.a": 1, "train.b": 1, "val.a": 1, "extra.a": 1}, "extra is in no split, unlike train and val"),
        ({"train.a": 1, "train.b": 1, "holdout.a": 1}, "holdout is in no split, unlike train"),
        ({"train.a": 1, "train.b": 1, "test.c": 1, "test.d": 1}, "test has other class folders than train"),
        ({"train": 2, "test": 2}, "the folders test, train look like splits, but hold no class folders"),
        ({"trainA": 2, "trainB": 2, "testA": 1, "testB": 1}, "the folders testA, testB, trainA, trainB look like"),
        ({"train_1": 2, "train_2": 2, "test": 1}, "the folders test, train_1, train_2 look like splits"),
    ],
)
def test_a_folder_in_no_split_is_refused(tmp_path: Path, folders: dict[str, int], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        find_images(str(_folders(tmp_path, **folders)), None, SPLITS)


def test_further_names_are_mapped(tmp_path: Path) -> None:
    _folders(tmp_path, **{"train.a": 1, "train.b": 1, "holdout.a": 1})
    sources = find_images(str(tmp_path), None, SPLITS, further_names={"holdout": "eval"})
    assert _found(sources) == {("train", "a"): 1, ("train", "b"): 1, ("eval", "a"): 1}


def test_files_with_many_images_are_in_the_split_of_their_name(write: Any, tmp_path: Path) -> None:
    for name, labels in (
        ("a-train.parquet", ["cat", "dog"]),
        ("validation/0.parquet", ["cat"]),
        ("test-0.parquet", ["dog"]),
    ):
        write.parquet(tmp_path / name, {"image": [b"p"] * len(labels), "label": labels})
    sources = find_images(str(tmp_path), None, SPLITS)
    assert [(entry.name, entry.split) for entry in sources.entries] == [
        ("a-train.parquet/0", "train"),
        ("a-train.parquet/1", "train"),
        ("test-0.parquet/0", "test"),
        ("validation/0.parquet/0", "eval"),
    ]


def test_tar_shards_and_tfrecords_are_in_the_split_of_their_name(write: Any, tmp_path: Path) -> None:
    write.tar(tmp_path / "tar/x-train-0.tar", {"0.jpg": b"p", "0.cls": b"cat", "1.jpg": b"p", "1.cls": b"dog"})
    write.tar(tmp_path / "tar/x-val-0.tar", {"0.jpg": b"p", "0.cls": b"cat"})
    write.tfrecord(tmp_path / "records/train-00000-of-00001", [write.example(b"p", "cat"), write.example(b"q", "dog")])
    write.tfrecord(tmp_path / "records/test-00000-of-00001", [write.example(b"r", "cat")])
    for folder, other in (("tar", "eval"), ("records", "test")):
        found = _found(find_images(str(tmp_path / folder), None, SPLITS))
        assert found == {("train", "cat"): 1, ("train", "dog"): 1, (other, "cat"): 1}


def test_a_test_file_without_labels_is_not_used(write: Any, tmp_path: Path) -> None:
    about = '{"info": {"features": {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}}}'
    for name, labels in (("train-0.parquet", [0, 1, 0]), ("test-0.parquet", [-1, -1])):
        write.parquet(tmp_path / name, {"image": [b"p"] * len(labels), "label": labels}, {"huggingface": about})
    sources = find_images(str(tmp_path), None, SPLITS)
    assert sources.labels == {"cat": 2, "dog": 1}
    assert [item.counts for item in sources.left_out] == [False, False]
    assert sources.notes == (
        "train-0.parquet is train (data.layout.split_files changes this)",
        "the images in 'test-0.parquet' (2) have no labels and are not used",
    )


def test_a_file_in_no_split_is_refused(write: Any, tmp_path: Path) -> None:
    for name in ("train.parquet", "test.parquet", "more.parquet"):
        write.parquet(tmp_path / name, {"image": [b"p"] * 2, "label": ["cat", "dog"]})
    with pytest.raises(BadInput, match=r"more\.parquet is in no split, unlike test\.parquet and train\.parquet"):
        find_images(str(tmp_path), None, SPLITS)


@pytest.mark.parametrize("names", [("part-0", "part-1", "test"), ("learn", "test"), ("learn", "val")])
def test_a_file_of_training_with_another_name_is_refused(write: Any, tmp_path: Path, names: tuple[str, ...]) -> None:
    for name in names:
        write.parquet(tmp_path / f"{name}.parquet", {"image": [b"p"] * 2, "label": ["cat", "dog"]})
    with pytest.raises(BadInput, match=rf"{names[0]}\.parquet is in no split, unlike {names[-1]}\.parquet\. Give its"):
        find_images(str(tmp_path), None, SPLITS)


def test_files_without_a_name_of_held_out_images_are_divided(write: Any, tmp_path: Path) -> None:
    for name in ("train-0", "more"):
        write.parquet(tmp_path / f"{name}.parquet", {"image": [b"p"] * 2, "label": ["cat", "dog"]})
    assert _found(find_images(str(tmp_path), None, SPLITS)) == {(None, "cat"): 2, (None, "dog"): 2}


def test_a_file_of_training_and_validation_is_of_training(write: Any, tmp_path: Path) -> None:
    for name in ("train_val", "test"):
        write.tar(tmp_path / f"{name}.tar", {"0.jpg": b"p", "0.cls": b"cat", "1.jpg": b"p", "1.cls": b"dog"})
    found = _found(find_images(str(tmp_path), None, SPLITS))
    assert found == {(split, label): 1 for split in ("train", "test") for label in ("cat", "dog")}


def test_the_layout_decides_before_names(write: Any, tmp_path: Path) -> None:
    for name in ("train.parquet", "test.parquet"):
        write.parquet(tmp_path / name, {"image": [b"p"] * 2, "label": ["cat", "dog"]})
    layout = Layout(split_files={"train": "test.parquet", "eval": "train.parquet"})
    found = find_images(str(tmp_path), None, SPLITS, layout).entries
    assert {entry.name: entry.split for entry in found if entry.name.endswith("/0")} == {
        "test.parquet/0": "train",
        "train.parquet/0": "eval",
    }


@pytest.mark.parametrize("splits", [("val", "test"), ("test",)])
def test_held_out_folders_need_no_training_folder(tmp_path: Path, splits: tuple[str, ...]) -> None:
    _folders(tmp_path, **{f"{split}.{label}": 2 for split in splits for label in ("cat", "dog")})
    meaning = {"val": "eval", "test": "test"}
    found = _found(find_images(str(tmp_path), None, SPLITS))
    assert found == {(meaning[split], label): 2 for split in splits for label in ("cat", "dog")}


def test_held_out_files_need_no_training_file(write: Any, tmp_path: Path) -> None:
    for name in ("validation", "test"):
        write.parquet(tmp_path / f"{name}-00000-of-00001.parquet", {"image": [b"a", b"b"], "label": [0, 1]})
    found = _found(find_images(str(tmp_path), None, SPLITS))
    assert found == {(split, label): 1 for split in ("eval", "test") for label in "01"}


def test_a_folder_beside_an_unlabeled_test_folder_is_refused(tmp_path: Path) -> None:
    _folders(tmp_path, **{"train.cat": 2, "train.dog": 2, "test": 3, "samples": 2})
    with pytest.raises(BadInput, match="samples is in no split, unlike train"):
        find_images(str(tmp_path), None, SPLITS)


def test_other_files_beside_folders_of_splits_are_skipped(tmp_path: Path) -> None:
    _folders(tmp_path, **{f"{split}.{label}": 2 for split in ("train", "test") for label in ("cat", "dog")})
    (tmp_path / "devkit").mkdir()
    (tmp_path / "devkit" / "cars_meta.mat").write_bytes(b"MATLAB 5.0\0\1")
    sources = find_images(str(tmp_path), None, SPLITS)
    assert set(sources.labels) == {"cat", "dog"}
    assert sources.left_out == ()
    assert sources.skipped == {".mat": 1}


def test_a_test_file_without_a_column_of_labels_is_not_used(write: Any, tmp_path: Path) -> None:
    write.parquet(tmp_path / "train.parquet", {"image": [b"a", b"b"], "label": ["cat", "dog"]})
    write.parquet(tmp_path / "test.parquet", {"image": [b"c"], "id": [7]})
    sources = find_images(str(tmp_path), None, SPLITS)
    assert set(_found(sources)) == {("train", "cat"), ("train", "dog")}
    assert sources.notes[-1] == "the images in 'test.parquet' have no labels and are not used"
    assert [(item.name, item.counts) for item in sources.left_out] == [("test.parquet", False)]


def test_a_test_file_of_examples_without_labels_is_not_used(write: Any, tmp_path: Path) -> None:
    layout = Layout(label="class")
    write.tfrecord(tmp_path / "train.tfrec", [write.example(b"a", 0, "class"), write.example(b"b", 1, "class")])
    write.tfrecord(tmp_path / "test.tfrec", [write.example(b"c", 5, "id")])
    sources = find_images(str(tmp_path), None, SPLITS, layout)
    assert set(_found(sources)) == {("train", "0"), ("train", "1")}
    (tmp_path / "train.tfrec").unlink()
    write.tfrecord(tmp_path / "train.tfrec", [write.example(b"c", 5, "id")])
    with pytest.raises(BadInput, match=r"train.tfrec has no feature 'class'"):
        find_images(str(tmp_path), None, SPLITS, layout)
