"""Tests of the configuration file that `efficientmixnet init` writes."""

import re
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

from efficientmixnet.pipeline.config.config import Config, load_config
from efficientmixnet.pipeline.config.config_template import config_template


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file that `init` has written."""
    file = tmp_path / "my.yaml"
    file.write_text(config_template())
    return file


def _with_all_keys(text: str) -> str:
    """Removes the # before each key. A # with a space behind it begins a sentence."""
    return re.sub("^( *)#(?! )", r"\1", text, flags=re.MULTILINE)


def _keys(section: BaseModel, prefix: str = "") -> set[str]:
    keys = set()
    for name in type(section).model_fields:
        value = getattr(section, name)
        keys |= _keys(value, f"{prefix}{name}.") if isinstance(value, BaseModel) else {prefix + name}
    return keys


def _keys_and_comments(text: str) -> dict[str, str]:
    """The comment above each key that has a value."""
    found: dict[str, str] = {}
    path: list[str] = []
    comment = ""
    for line in text.splitlines():
        depth, content = (len(line) - len(line.lstrip())) // 2, line.strip()
        if content.startswith("#"):
            comment += content.removeprefix("#")
            continue
        if content:
            key, _, value = content.partition(":")
            path = [*path[:depth], key]
            if value:
                assert ".".join(path) not in found, f"{'.'.join(path)} appears twice"
                found[".".join(path)] = comment.strip()
        comment = ""
    return found


def test_loading_the_file_gives_the_defaults(file: Path) -> None:
    expected = Config().model_copy(update={"output": str(file.parent / "runs")})
    data = expected.data.model_copy(update={"images": str(file.parent / "images")})
    assert load_config(str(file)) == expected.model_copy(update={"data": data})


def test_the_file_sets_only_the_images() -> None:
    assert set(_keys_and_comments(config_template())) == {"data.images"}


def test_the_values_in_the_comments_are_the_defaults() -> None:
    assert Config.model_validate(yaml.safe_load(_with_all_keys(config_template()))) == Config()


def test_every_key_appears_once_with_a_comment() -> None:
    found = _keys_and_comments(_with_all_keys(config_template()))
    assert set(found) == _keys(Config())
    assert {key for key, comment in found.items() if len(comment) < 5} == set()


def test_a_key_whose_sign_is_removed_is_set(file: Path) -> None:
    file.write_text(config_template().replace("    #warmup_epochs: 0.0", "    warmup_epochs: 2"))
    assert load_config(str(file)).training.schedule.warmup_epochs == 2


def test_a_recipe_sets_all_of_its_keys(file: Path) -> None:
    file.write_text(config_template().replace("  #recipe: null", "  recipe: adamw-cosine"))
    training = load_config(str(file)).training
    assert (training.optimizer["name"], training.epochs) == ("adamw", 100)
    assert (training.schedule.warmup_epochs, training.augmentation.randaugment_layers) == (5, 2)


def test_a_budget_chooses_the_network_and_the_optimizer(file: Path) -> None:
    config = load_config(str(file), ["training.budget=30m"])
    assert config.network.variant == "auto"
    assert (config.training.optimizer["name"], config.training.learning_rate) == ("convmuon", 0.006)


def test_the_default_tolerances_are_not_given_as_limits(file: Path) -> None:
    assert "tolerances" not in load_config(str(file)).evaluation.model_fields_set


def test_no_line_has_more_than_120_characters() -> None:
    assert max(len(line) for line in config_template().splitlines()) <= 120
