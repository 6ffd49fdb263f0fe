"""Folders of splits with an unlisted name of training, in class folders, without suffixes, and in another folder."""

import unicodedata
from collections import Counter
from pathlib import Path

import pytest

from efficientmixnet.components.image_example_gen.layout import Layout
from efficientmixnet.components.image_example_gen.sources import Sources, find_images
from efficientmixnet.modules.exceptions import BadInput

SPLITS = frozenset({"train", "eval"})
BOTH = {(split, label): 1 for split in ("train", "test") for label in ("cat", "dog")}


def _touch(data: Path, *names: str) -> Path:
    for name in names:
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).touch()
    return data


def _sources(data: Path, *names: str) -> Sources:
    return find_images(str(_touch(data, *names)), None, SPLITS)


def _found(sources: Sources) -> Counter:
    return Counter((entry.split, entry.label) for entry in sources.entries)


def _folders(*tops: str, file: str = "0.png") -> list[str]:
    return [f"{top}/{label}/{file}" for top in tops for label in ("cat", "dog")]


@pytest.mark.parametrize("training", ["train_val", "trainval", "Train-Val", "train_dev"])
def test_a_folder_of_training_and_validation_is_of_training(tmp_path: Path, training: str) -> None:
    assert _found(_sources(tmp_path, *_folders(training, "test"))) == BOTH


@pytest.mark.parametrize("others", [(), ("extras/1.png",), ("unlabeled/1.png",), ("test/bird/1.png",)])
def test_a_folder_of_training_with_another_name_is_refused(tmp_path: Path, others: tuple[str, ...]) -> None:
    with pytest.raises(BadInput, match=r"learn is in no split, unlike test\. Give its split in data\.split_names"):
        _sources(tmp_path, *_folders("learn", "test"), *others)


@pytest.mark.parametrize("splits", [("train",), ("train", "test"), ("cat/train", "dog/train", "cat/test")])
def test_masks_in_class_folders_beside_the_images_are_refused(tmp_path: Path, splits: tuple[str, ...]) -> None:
    with pytest.raises(BadInput, match=r"train_masks is in no split, unlike .*train"):
        _sources(tmp_path, *_folders(*splits, splits[0] + "_masks"))


def test_masks_without_class_folders_are_left_out(tmp_path: Path) -> None:
    sources = _sources(tmp_path, *_folders("train", "test"), "train_masks/0.png")
    assert _found(sources) == BOTH
    assert [one.name for one in sources.left_out] == ["train_masks/0.png"]
    assert sources.notes[-1] == "the images in 'train_masks' (1) have no labels and are not used"


@pytest.mark.parametrize(
    "others", [("beaker/1.png",), ("beaker/a/1.png", "beaker/c/1.png"), ("beaker/1.png", "dev_board/1.png")]
)
def test_class_folders_that_are_named_as_held_out_images_stay_classes(tmp_path: Path, others: tuple[str, ...]) -> None:
    sources = _sources(tmp_path, "test_tube/a/1.png", "test_tube/b/1.png", *others)
    assert {(entry.split, entry.label) for entry in sources.entries} == {
        (None, name.split("/")[0]) for name in ("test_tube/1.png", *others)
    }
    assert _found(_sources(tmp_path / "flat", "test_tube/1.png", "beaker/1.png")).keys() == {
        (None, "test_tube"),
        (None, "beaker"),
    }


IN_CLASSES = [f"{label}/{split}/0.png" for split in ("train", "test") for label in ("cat", "dog")]


def test_a_stray_image_beside_splits_in_class_folders_is_left_out(tmp_path: Path) -> None:
    sources = _sources(tmp_path, *IN_CLASSES, "dog/stray.png")
    assert _found(sources) == BOTH
    assert [(item.row(), item.counts) for item in sources.left_out] == [(("dog/stray.png", "is in no split"), True)]


def test_a_class_may_have_held_out_images_alone(tmp_path: Path) -> None:
    assert _found(_sources(tmp_path, *IN_CLASSES, "fox/test/1.png")) == {**BOTH, ("test", "fox"): 1}
    alone = _sources(tmp_path / "alone", "cat/train/0.png", "dog/train/0.png", "fox/test/0.png")
    assert _found(alone) == {("train", "cat"): 1, ("train", "dog"): 1, ("test", "fox"): 1}


def test_a_folder_in_no_split_in_class_folders_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"fox/wild is in no split, unlike cat/test, cat/train and 3 more\. Give its"):
        _sources(tmp_path, *IN_CLASSES, "fox/wild/1.png", "fox/test/1.png")


@pytest.mark.parametrize("above", ["", "data/"])
@pytest.mark.parametrize("wrapper", ["", "/images"])
def test_folds_that_each_hold_splits_are_refused(tmp_path: Path, above: str, wrapper: str) -> None:
    folds = [f"{above}fold{number}/{split}{wrapper}" for number in (1, 2) for split in ("train", "val")]
    with pytest.raises(
        BadInput,
        match=r"the splits fold1/train, fold1/val and 2 more hold the same folders, cat and dog\. If these are the "
        r"classes, give one of fold1 and fold2 as data\.images",
    ):
        _sources(tmp_path, *_folders(*folds), f"{above}fold1/train{wrapper}/fox/1.png")


def test_splits_in_class_folders_may_hold_different_folders(tmp_path: Path) -> None:
    sides = [(label, f"{split}/{label}-{side}") for split, label in BOTH for side in ("left", "right")]
    sources = _sources(tmp_path, *(f"{label}/{folder}/0.png" for label, folder in sides))
    assert _found(sources) == dict.fromkeys(BOTH, 2)


def test_other_folders_in_class_folders_may_be_named_as_splits(tmp_path: Path) -> None:
    sources = _sources(tmp_path, "vehicles/train/1.png", "vehicles/bus/1.png", "labs/test_tube/1.png")
    assert _found(sources) == {(None, "vehicles"): 2, (None, "labs"): 1}


@pytest.mark.parametrize("file", ["0", "0.img"])
def test_images_need_no_known_suffix(tmp_path: Path, file: str) -> None:
    assert _found(_sources(tmp_path, *_folders("train", "test", file=file))) == BOTH
    with pytest.raises(BadInput, match="extra is in no split, unlike test and train"):
        _sources(tmp_path, *_folders("extra", file=file))


def test_a_folder_of_text_is_no_folder_of_images(tmp_path: Path) -> None:
    _touch(tmp_path, "devkit/README", "devkit/more/LICENSE")
    for name in ("devkit/README", "devkit/more/LICENSE"):
        (tmp_path / name).write_text("Cats and dogs")
    sources = _sources(tmp_path, *_folders("train", "test"))
    assert _found(sources) == BOTH
    assert not any(item.counts for item in sources.left_out)


@pytest.mark.parametrize("above", ["data", "archive/data", "a/b/c"])
def test_folders_of_splits_may_be_in_another_folder(tmp_path: Path, above: str) -> None:
    sources = _sources(tmp_path, *_folders(f"{above}/train", f"{above}/test"), f"{above}/unlabeled/1.png")
    assert _found(sources) == BOTH
    assert sources.notes == (
        f"{above}/train is train",
        f"{above}/test is test (data.layout.split_files changes this)",
        f"the images in '{above}/unlabeled' (1) have no labels and are not used",
    )


def test_splits_in_class_folders_may_be_in_another_folder(tmp_path: Path) -> None:
    assert _found(_sources(tmp_path, *(f"data/{name}" for name in IN_CLASSES))) == BOTH


def test_an_image_beside_the_class_folders_of_a_split_is_left_out(tmp_path: Path) -> None:
    sources = _sources(tmp_path, *_folders("train/images", "test/images"), "train/stray.png")
    assert _found(sources) == BOTH
    assert [item.row() for item in sources.left_out] == [("train/stray.png", "is not in a class folder")]


def test_another_folder_beside_splits_in_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"/data: extra is in no split, unlike test and train"):
        _sources(tmp_path, *_folders("data/train", "data/test", "data/extra"))


def test_the_only_folder_is_named_as_a_cure(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"only the class 'data' has images.*If 'data' holds these folders, give it"):
        _sources(tmp_path, *_folders("data"))


def test_folders_in_folders_without_end_are_read(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="only the class 'data' has images"):
        _sources(tmp_path, "/".join(["data"] * 700) + "/1.png")


@pytest.mark.parametrize(
    ("above", "pattern"), [("", "train/*"), ("data/", "data/train/*"), ("/images", "train/images/*")]
)
def test_folds_in_splits_get_a_note_whose_cure_works(tmp_path: Path, above: str, pattern: str) -> None:
    before, after = (above, "") if above.endswith("/") else ("", above)
    folds = [f"{before}{split}{after}/fold{number}" for split in ("train", "test") for number in (1, 2)]
    sources = _sources(tmp_path, *_folders(*folds))
    assert {label for _, label in _found(sources)} == {"fold1", "fold2"}
    assert sources.notes[-1] == (
        "fold1 and fold2 are classes, and all hold the folders cat and dog; if these are the classes, name the folders "
        f"above them in data.layout.split_files, such as {{train: '{pattern}'}}"
    )
    layout = Layout(split_files={"train": pattern, "test": pattern.replace("train", "test")})
    cured = find_images(str(tmp_path), None, SPLITS | {"test"}, layout)
    assert _found(cured) == dict.fromkeys(BOTH, 2)


def test_a_class_of_training_images_gets_a_note_whose_cure_works(tmp_path: Path) -> None:
    names = [f"train/{label}/{number}.png" for label in ("cat", "dog") for number in range(4)]
    sources = _sources(tmp_path, *names, "figures/plot.png", "figures/other.png")
    assert {label for _, label in _found(sources)} == {"train", "figures"}
    assert sources.notes[-1] == (
        "train is a class, and holds the folders cat and dog; if these are the classes, name their folder in "
        "data.layout.split_files, such as {train: 'train'}"
    )
    cured = find_images(str(tmp_path), None, SPLITS, Layout(split_files={"train": "train"}))
    assert {label for _, label in _found(cured)} == {"cat", "dog"}


def test_classes_such_as_train_and_bus_get_no_note(tmp_path: Path) -> None:
    assert _sources(tmp_path, "train/1.png", "bus/1.png", "tram/1.png").notes == ()
    assert _sources(tmp_path, "train/steam/1.png", "train/fast/1.png", "bus/old/1.png", "tram/1.png").notes == ()


def test_other_folders_in_classes_of_splits_get_no_note(tmp_path: Path) -> None:
    names = [f"{split}/{label}/{side}/0.png" for split, label in BOTH for side in ("left", "right")]
    assert len(_sources(tmp_path, *names, "train/cat/0.png", "train/fox/above/0.png").notes) == 2


@pytest.mark.parametrize(("training", "test"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_class_folders_of_splits_may_be_in_two_forms_of_unicode(tmp_path: Path, training: str, test: str) -> None:
    forms = {"train": training, "test": test}
    names = [f"{split}/{unicodedata.normalize(forms[split], label)}/0.png" for split in forms for label in ("é", "ü")]
    assert _found(_sources(tmp_path, *names)) == {(split, label): 1 for split in forms for label in ("é", "ü")}


def test_the_only_folder_in_splits_gets_a_cure_that_works(tmp_path: Path) -> None:
    names = _folders("train/photos", "test/photos")
    with pytest.raises(
        BadInput, match=r"only the class 'photos'.*in data\.layout\.split_files.*\{train: train/photos\}"
    ):
        _sources(tmp_path, *names)
    layout = Layout(split_files={"train": "train/photos", "test": "test/photos"})
    assert _found(find_images(str(tmp_path), None, SPLITS | {"test"}, layout)) == BOTH
