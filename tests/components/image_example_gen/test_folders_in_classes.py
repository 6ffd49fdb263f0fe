"""Class folders that hold folders of other classes, or folders named after splits."""

from collections import Counter
from pathlib import Path

import pytest

from efficientmixnet.components.image_example_gen.sources import Sources, find_images
from efficientmixnet.modules.exceptions import BadInput

CLASSES = ("cat", "dog")


def _sources(data: Path, *folders: str, names: dict[str, str] | None = None) -> Sources:
    for folder in folders:
        (data / folder).mkdir(parents=True, exist_ok=True)
        (data / folder / "0.png").touch()
    return find_images(str(data), None, frozenset({"train", "eval"}), further_names=names)


@pytest.mark.parametrize("above", ["", "train/"])
@pytest.mark.parametrize("split", ["val", "test_data", "Testing"])
@pytest.mark.parametrize("inside", [("cat", "dog"), ("dog",), ("cat", "dog", "fox")])
def test_a_split_among_class_folders_is_refused(
    tmp_path: Path, above: str, split: str, inside: tuple[str, ...]
) -> None:
    folders = [f"{above}{label}" for label in CLASSES] + [f"{above}{split}/{label}" for label in inside]
    with pytest.raises(
        BadInput, match=rf": {split} would be a class, but it holds .*dog, as the folder around it does\."
    ):
        _sources(tmp_path, *folders)


def test_a_mapped_split_among_class_folders_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="holdout would be a class, but it holds cat and dog"):
        _sources(tmp_path, *CLASSES, "holdout/cat", "holdout/dog", names={"holdout": "eval"})


@pytest.mark.parametrize("above", ["", "train/"])
def test_a_copy_of_the_data_among_class_folders_gets_a_note(tmp_path: Path, above: str) -> None:
    sources = _sources(tmp_path, *(f"{above}{folder}" for folder in (*CLASSES, "backup/cat", "backup/dog")))
    assert sources.labels == Counter(cat=1, dog=1, backup=2)
    assert sources.notes[-1] == (
        "backup is a class, and holds cat and dog, which are classes too; move it if it is a copy of the data"
    )


@pytest.mark.parametrize(
    "folders",
    [
        ("train/old", "bus", "tram"),
        ("test_tube/a", "test_tube/b", "beaker/a", "beaker/c"),
        ("test/dog", "test/left", "test/right", "dog"),
        ("cat/test", "dog"),
    ],
)
def test_other_folders_in_classes_have_no_effect(tmp_path: Path, folders: tuple[str, ...]) -> None:
    sources = _sources(tmp_path, *folders)
    assert sources.labels == Counter(folder.split("/")[0] for folder in folders)
    assert sources.notes == ()


def test_held_out_images_in_classes_without_folders_of_training_get_a_note(tmp_path: Path) -> None:
    sources = _sources(tmp_path, *CLASSES, "cat/test", "dog/val")
    assert [entry.split for entry in sources.entries] == [None] * 4
    assert sources.notes == (
        "cat/test and dog/val are not held out, since the classes have no folders of training images",
    )
