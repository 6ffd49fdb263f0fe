"""Tests of --set, which replaces keys of a configuration."""

from pathlib import Path

import pytest

from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.pipeline.config.config import load_config


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "my.yaml"


def test_an_override_replaces_only_its_key(file: Path) -> None:
    file.write_text("training: {epochs: 3, batch_size: 16, schedule: {name: step}}\nnetwork: {norm: an}\n")
    overrides = ("training.epochs=20", "training.schedule.decay_rate=0.5", "network.norm=iebn")
    config = load_config(str(file), overrides)
    training = config.training
    assert (training.epochs, training.batch_size, config.network.norm.kind) == (20, 16, "iebn")
    assert (training.schedule.name, training.schedule.decay_rate) == ("step", 0.5)


@pytest.mark.parametrize(
    ("override", "section", "key", "value"),
    [
        ("network.mixed=true", "network", "mixed", True),
        ("network.activation=null", "network", "activation", None),
        ("data.splits={train: 9, eval: 1}", "data", "splits", {"train": 9, "eval": 1}),
        ("data.manifest=/a=b.csv", "data", "manifest", "/a=b.csv"),
    ],
)
def test_an_override_is_read_as_yaml(override: str, section: str, key: str, value: object) -> None:
    assert getattr(getattr(load_config(None, [override]), section), key) == value


def test_an_overriding_optimizer_takes_no_options_from_the_file(file: Path) -> None:
    file.write_text("training: {optimizer: {name: sgd, momentum: 0.9}}")
    assert load_config(str(file), ["training.optimizer=radam"]).training.optimizer["name"] == "radam"


@pytest.mark.parametrize("override", ["training.epochs", "=3", ""])
def test_an_override_without_a_key_or_value_is_refused_with_an_example(override: str) -> None:
    with pytest.raises(BadInput, match=r"--set .*: give section\.key=value, such as training\.epochs=20"):
        load_config(None, [override])


def test_an_override_that_is_not_yaml_is_refused() -> None:
    with pytest.raises(BadInput, match=r"--set training\.epochs=\[1: is not valid YAML \(while parsing"):
        load_config(None, ["training.epochs=[1"])


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("output=2020-13-45", None),
        ("training.epochs=!!int foo", "'foo' is not a whole number"),
        ("training={epochs: 1, epochs: 2}", r"epochs is given twice"),
        ("training..epochs=1", "give section.key=value"),
        (f"{'a.' * 3000}b=1", "give section.key=value"),
        (f"a={'[' * 3000}", "has more than 100 levels"),
        ('output="a\\0b"', r"the character '.x00' is not allowed"),
    ],
)
def test_an_override_is_read_as_strictly_as_a_file(override: str, message: str | None) -> None:
    if message is None:
        load_config(None, [override])
        return
    with pytest.raises(BadInput, match=message) as caught:
        load_config(None, [override])
    assert len(str(caught.value)) < 300


def test_a_misspelled_override_is_refused_with_a_suggestion() -> None:
    with pytest.raises(BadInput, match=r"training\.epoch: no such key; did you mean training\.epochs\?"):
        load_config(None, ["training.epoch=3"])
