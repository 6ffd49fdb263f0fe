"""Tests of the values that are derived from the images."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from efficientmixnet.components.image_example_gen.find_dataset import find_dataset
from efficientmixnet.components.image_example_gen.layout import Layout
from efficientmixnet.components.image_example_gen.sources import Sources, find_images
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.pipeline.config.config import Config
from efficientmixnet.pipeline.resolve import resolve

Images = Callable[..., Sources]


@pytest.fixture
def images(tmp_path: Path) -> Images:
    """Writes images of the given sizes for each class, and returns their sources."""

    def write(**classes: list[tuple[int, int]]) -> Sources:
        for label, sizes in classes.items():
            (tmp_path / label).mkdir()
            for number, size in enumerate(sizes):
                Image.new("L", size).save(tmp_path / label / f"{number}.png")
        return find_images(str(tmp_path), None, frozenset({"train", "eval"}))

    return write


def _image_size(sources: Sources, **network: object) -> int | None:
    return resolve(Config.model_validate({"network": network}), sources).network.image_size


@pytest.mark.parametrize(
    ("shorter_side", "network", "image_size"),
    [
        (1000, {}, 224),
        (1000, {"variant": "B3"}, 300),
        (100, {}, 96),
        (120, {}, 128),
        (150, {"variant": "B3"}, 160),
        (8, {}, 64),
        (64, {}, 64),
        (1000, {"image_size": 160}, 160),
        (8, {"image_size": 32}, 32),
    ],
)
def test_the_image_size_follows_the_images_up_to_the_default_size(
    images: Images, shorter_side: int, network: dict[str, object], image_size: int
) -> None:
    sizes = [(shorter_side, shorter_side + 50), (shorter_side + 70, shorter_side)]
    assert _image_size(images(a=sizes, b=sizes), **network) == image_size


def test_the_image_size_follows_the_median(images: Images) -> None:
    sources = images(a=[(128, 128)] * 3 + [(8, 8)], b=[(128, 128)] * 3 + [(2000, 2000)])
    assert _image_size(sources) == 128


def test_files_that_are_not_images_are_skipped(images: Images, tmp_path: Path) -> None:
    images(a=[(128, 128)], b=[(128, 128)])
    (tmp_path / "a" / "text.png").write_text("no image")
    (tmp_path / "a" / "empty.png").touch()
    assert _image_size(find_images(str(tmp_path), None, frozenset())) == 128


def test_without_readable_images_the_default_size_is_used(tmp_path: Path) -> None:
    for label in "ab":
        (tmp_path / label).mkdir()
        (tmp_path / label / "empty.png").touch()
    assert _image_size(find_images(str(tmp_path), None, frozenset())) == 224


@pytest.fixture
def split_images(tmp_path: Path) -> Sources:
    """The most frequent class is a in training, and c in evaluation, where a has two of seven images."""
    for split, counts in {"train": {"a": 4, "b": 3, "c": 1}, "eval": {"a": 2, "b": 1, "c": 4}}.items():
        for label, count in counts.items():
            (tmp_path / split / label).mkdir(parents=True)
            for number in range(count):
                Image.new("L", (8, 8)).save(tmp_path / split / label / f"{number}.png")
    layout = Layout(split_files={"train": "train", "eval": "eval"})
    return find_images(str(tmp_path), None, frozenset({"train", "eval"}), layout)


def test_the_default_threshold_is_better_than_guessing(split_images: Sources) -> None:
    """Of 7 images, a guess among 3 classes gets 5 or more right with a probability of 0.045, and 4 with 0.173."""
    assert resolve(Config(), split_images).evaluation.thresholds == {"accuracy": 0.7142}


@pytest.mark.parametrize(("a", "b", "probability"), [(1, 2, "0.296"), (3, 0, "1")])
def test_images_that_can_all_be_guessed_give_no_threshold_and_a_line_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], a: int, b: int, probability: str
) -> None:
    """The most frequent class of training has a share of 2 / 3, whose third power is 0.296, or of all."""
    for split, counts in {"train": {"a": 4, "b": 4}, "eval": {"a": a, "b": b}}.items():
        for label, count in counts.items():
            (tmp_path / split / label).mkdir(parents=True)
            for number in range(count):
                Image.new("L", (8, 8)).save(tmp_path / split / label / f"{number}.png")
    layout = Layout(split_files={"train": "train", "eval": "eval"})
    sources = find_images(str(tmp_path), None, frozenset({"train", "eval"}), layout)
    assert resolve(Config(), sources).evaluation.thresholds == {}
    told = capsys.readouterr().err
    assert told.startswith(
        "evaluation.thresholds.accuracy: guessing gets all 3 evaluation images right with a probability of "
        f"{probability}, so no model will be blessed; add images, or give the lowest accuracy"
    )
    given = Config.model_validate({"evaluation": {"thresholds": {"accuracy": 0.9}}})
    assert resolve(given, sources).evaluation == given.evaluation
    assert capsys.readouterr().err == ""


def test_a_configured_threshold_is_kept(images: Images) -> None:
    config = Config.model_validate({"evaluation": {"thresholds": {"accuracy": 0.9, "loss": 1.0}}})
    sources = images(a=[(8, 8)] * 5, b=[(8, 8)] * 2)
    assert resolve(config, sources).evaluation.thresholds == {"accuracy": 0.9, "loss": 1.0}


def test_a_threshold_of_the_loss_keeps_the_default_threshold_of_the_accuracy(split_images: Sources) -> None:
    config = Config.model_validate({"evaluation": {"thresholds": {"loss": 1.0}}})
    assert resolve(config, split_images).evaluation.thresholds == {"loss": 1.0, "accuracy": 0.7142}


def test_other_keys_do_not_change(images: Images) -> None:
    config = Config()
    resolved = resolve(config, images(a=[(8, 8)], b=[(8, 8)]))
    same = {"network": {"image_size"}, "evaluation": {"thresholds"}}
    assert resolved.model_dump(exclude=same) == config.model_dump(exclude=same)


def test_a_folder_of_pushed_models_is_replaced_by_its_newest_model(images: Images, tmp_path: Path) -> None:
    sources = images(a=[(8, 8)], b=[(8, 8)])
    for version in ("9", "10"):
        (tmp_path / "pushed" / version).mkdir(parents=True)
        (tmp_path / "pushed" / version / "saved_model.pb").touch()

    def resolved(weights: str) -> str | None:
        return resolve(Config.model_validate({"network": {"weights": weights}}), sources).network.weights

    assert resolved(str(tmp_path / "pushed")) == str(tmp_path / "pushed" / "10")
    assert [resolved(name) for name in ("imagenet", "latest")] == ["imagenet", "latest"]
    with pytest.raises(BadInput, match=r"network\.weights: .*nothing\.keras does not exist"):
        resolved(str(tmp_path / "nothing.keras"))


def test_a_test_split_that_only_the_data_names_is_added(tmp_path: Path) -> None:
    for name, count in {"Training/a": 6, "Training/b": 6, "Testing/a": 2, "Testing/b": 1}.items():
        (tmp_path / name).mkdir(parents=True)
        for number in range(count):
            Image.new("L", (8, 8)).save(tmp_path / name / f"{number}.png")
    sources = find_dataset(str(tmp_path), None, Config().data.splitting, Layout())
    assert resolve(Config(), sources).data.splits == {"train": 0.8, "eval": 0.2, "test": 0}


def test_data_without_training_images_is_refused(tmp_path: Path) -> None:
    for name in ("val/a", "val/b", "test/a", "test/b"):
        (tmp_path / name).mkdir(parents=True)
        Image.new("L", (8, 8)).save(tmp_path / name / "1.png")
    sources = find_dataset(str(tmp_path), None, Config().data.splitting, Layout())
    with pytest.raises(BadInput, match=r"all in the splits eval, test\. Add training images"):
        resolve(Config(), sources)


def test_the_image_size_does_not_depend_on_test_images(tmp_path: Path) -> None:
    for split, side in (("train", 96), ("val", 96), ("test", 256)):
        for label in "ab":
            (tmp_path / split / label).mkdir(parents=True)
            for number in range(1 if split != "test" else 9):
                Image.new("RGB", (side, side)).save(tmp_path / split / label / f"{number}.png")
    sources = find_dataset(str(tmp_path), None, Config().data.splitting, Layout())
    assert resolve(Config(), sources).network.image_size == 96


def test_automatic_channels_become_a_number(images: Images) -> None:
    sources = images(a=[(8, 8)] * 3, b=[(8, 8)] * 3)
    assert resolve(Config.model_validate({"data": {"channels": "auto"}}), sources).data.channels == 1
    with pytest.raises(BadInput, match=r"data.bands: 2 is not one of the channels 0 to 0"):
        resolve(Config.model_validate({"data": {"channels": "auto", "bands": [0, 1, 2]}}), sources)
