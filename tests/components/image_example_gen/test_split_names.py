"""The splits that names mean."""

import pytest

from efficientmixnet.components.image_example_gen.split_names import SplitNames, is_unlabeled

NAMES = SplitNames({"train", "eval"}, {"holdout": "test"})


@pytest.mark.parametrize(
    ("name", "split"),
    [
        *(
            (name, "train")
            for name in ("train", "TRAIN", "Training", "seg_train", "train_data", "trainData", "x-train-2")
        ),
        *((name, "eval") for name in ("eval", "VAL", "valid", "Validation", "dev", "valset", "images_val", "val2017")),
        *((name, "test") for name in ("test", "Testing", "seg_test", "test_data", "testset", "test1", "Holdout")),
        *((name, "train") for name in ("traindataset", "traindir", "trainfolder", "trainImageFiles", "traindatasplit")),
        *((name, "test") for name in ("testdataset", "testdir", "testfolder", "testfiles")),
        *((name, None) for name in ("dataset", "imagefolder", "files", "profile", "offset")),
        *((name, "train") for name in ("train_val", "trainval", "TrainVal", "train-dev")),
        *((name, None) for name in ("cat", "trainer", "latest", "contest", "", "data", "große")),
        *((name, None) for name in ("train_test", "val_test", "train_val_test")),
    ],
)
def test_a_part_of_a_name_means_a_split(name: str, split: str | None) -> None:
    assert NAMES.of_name(name) == split


@pytest.mark.parametrize(
    ("value", "split"),
    [
        ("val", "eval"),
        (" Validation ", "eval"),
        ("dev", "eval"),
        ("test", "test"),
        ("holdout", "test"),
        ("train_val", "train"),
        ("seg_train", "train"),
        ("test images", "test"),
        ("testData_2", "test"),
        ("train_data", "train"),
        ("test_tube", None),
        ("train station", None),
        ("test-dev", None),
    ],
)
def test_a_value_of_a_column_is_a_whole_name(value: str, split: str | None) -> None:
    assert NAMES.of_value(value) == split


def test_the_splits_of_the_configuration_mean_themselves() -> None:
    assert SplitNames({"train", "eval", "dev"}).of_value("dev") == "dev"
    assert SplitNames({"train", "eval"}, {"val": "train"}).of_name("val") == "train"


@pytest.mark.parametrize("masks", ["train_masks", "seg_train_gt", "TrainLabels", "training-annotations"])
def test_masks_beside_the_images_of_a_split_are_in_no_split(masks: str) -> None:
    assert NAMES.of_names(["train", masks, "val"]) == {"train": "train", "val": "eval"}
    assert NAMES.of_names([masks, "val"]) == {masks: "train", "val": "eval"}
    given = SplitNames({"train", "eval"}, {masks: "train"})
    assert given.of_names(["train", masks]) == {"train": "train", masks: "train"}


def test_a_long_name_takes_little_time() -> None:
    for name in ("set" * 300_000 + "x", "set" * 300_000):
        assert NAMES.of_name(name) is None


def test_names_of_unlabeled_images_are_known() -> None:
    assert [name for name in ("seg_pred", "unlabeled", "unlabeledset", "predator", "cat") if is_unlabeled(name)] == [
        "seg_pred",
        "unlabeled",
        "unlabeledset",
    ]
