"""A column split of records counts without data.layout.split, if all its values are names of splits."""

import json
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from efficientmixnet.components.image_example_gen.layout import Layout
from efficientmixnet.components.image_example_gen.sources import Sources, find_images
from efficientmixnet.modules.exceptions import BadInput

SPLITS = frozenset({"train", "eval", "test"})
LABELS = ("cat", "dog", "cat", "dog")
NAMES = ["train", "train", "Validation", "test"]
NOTE = "the column split names the splits eval, test, train (data.layout.split changes this)"


def _find(write: Any, folder: Path, form: str, splits: list[str], file: str = "all", **layout: Any) -> Sources:
    if form == "parquet":
        columns = {"image": [b"1"] * 4, "label": list(LABELS), "split": splits, "part": splits}
        write.parquet(folder / f"{file}.parquet", columns)
    elif form == "tar":
        about = [json.dumps({"label": label, "split": split}) for label, split in zip(LABELS, splits, strict=True)]
        files = {f"{number}.{kind}": b"1" for number in range(4) for kind in ("png", "json")}
        write.tar(folder / f"{file}.tar", files | {f"{number}.json": one.encode() for number, one in enumerate(about)})
    else:
        examples = []
        for label, split in zip(LABELS, splits, strict=True):
            example = tf.train.Example.FromString(write.example(b"1", label))
            example.features.feature["split"].bytes_list.value.append(split.encode())
            examples.append(example.SerializeToString())
        write.tfrecord(folder / f"{file}.tfrecord", examples)
    return find_images(str(folder), None, SPLITS, Layout(**layout))


def _splits(sources: Sources) -> list[str | None]:
    return [entry.split for entry in sources.entries]


@pytest.mark.parametrize("form", ["parquet", "tar", "tfrecord"])
def test_names_of_splits_count(write: Any, tmp_path: Path, form: str) -> None:
    sources = _find(write, tmp_path, form, NAMES)
    assert (_splits(sources), sources.notes) == (["train", "train", "eval", "test"], (NOTE,))


@pytest.mark.parametrize("form", ["parquet", "tar", "tfrecord"])
def test_a_column_that_holds_images_out_and_has_another_value_is_refused(write: Any, tmp_path: Path, form: str) -> None:
    with pytest.raises(
        BadInput, match=r"names the split 'test', but 'fold 3' names none\. Map it in data\.split_names"
    ):
        _find(write, tmp_path, form, ["train", "fold 3", "train", "test"])


def test_a_column_that_holds_no_image_out_is_named_and_not_used(write: Any, tmp_path: Path) -> None:
    sources = _find(write, tmp_path, "parquet", ["train", "fold 3", "train", "fold 3"])
    assert _splits(sources) == [None] * 4
    assert sources.notes == (
        "the column split is not used, since 'fold 3' names no split; data.split_names can map it",
    )
    assert sources.left_out == ()


def test_an_image_is_trained_on_if_neither_column_nor_file_holds_it_out(write: Any, tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    sources = _find(write, tmp_path / "one", "parquet", NAMES, file="train-00000-of-00001")
    assert _splits(sources) == ["train", "train", "eval", "test"]
    write.parquet(tmp_path / "two/train.parquet", {"image": [b"1"] * 2, "label": ["cat", "dog"]})
    assert _splits(_find(write, tmp_path / "two", "parquet", NAMES, file="test")) == [
        *("test", "test", "eval", "test"),
        *("train", "train"),
    ]


def test_an_empty_value_leaves_the_split_to_the_file_or_the_hash(write: Any, tmp_path: Path) -> None:
    assert _splits(_find(write, tmp_path, "parquet", ["", "train", "", "test"])) == [None, "train", None, "test"]


def test_what_the_layout_says_comes_first(write: Any, tmp_path: Path) -> None:
    values = ["train", "train", "test", "test"]
    by_file = _find(write, tmp_path, "parquet", values, split_files={"train": "all*"})
    assert (_splits(by_file), by_file.notes) == (["train"] * 4, ())
    assert _splits(_find(write, tmp_path, "parquet", values, split="part")) == values
    kept = _find(write, tmp_path, "parquet", values, features=["split"])
    assert (_splits(kept), kept.columns) == (values, ("split",))
