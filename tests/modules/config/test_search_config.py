"""The values of a search survive the way through a search library and back."""

from typing import Any

import pytest

from efficientmixnet.modules.config.model_config import ModelConfig
from efficientmixnet.modules.config.search_config import (
    Dimension,
    SearchConfig,
    as_choices,
    found_values,
    takes_numbers,
    takes_whole_numbers,
    with_values,
)

SGD = {"name": "sgd", "momentum": 0.9}


@pytest.mark.parametrize("values", [[16, 32], [0.1, 0.5], ["bn", "an"], ["adam", SGD], [None, 3], [True, False]])
def test_values_of_every_type_survive_the_search_library(values: list[Any]) -> None:
    choices = as_choices(values)
    assert all(isinstance(one, int | float | str) for one in choices)
    assert [found_values({"training.epochs": one})["training.epochs"] for one in choices] == values


def test_a_librarys_own_entries_are_ignored() -> None:
    assert found_values({"tuner/epochs": 3, "trial_id": "1", "network.depth": 4}) == {"network.depth": 4}


def test_an_optimizer_is_replaced_but_a_section_is_merged() -> None:
    common = ModelConfig.model_validate({"training": {"optimizer": SGD, "schedule": {"warmup_epochs": 2}}})
    changed = with_values(common, {"training.optimizer": "adam", "training.schedule.name": "constant"})
    assert changed.training.optimizer == {"name": "adam"}
    assert (changed.training.schedule.name, changed.training.schedule.warmup_epochs) == ("constant", 2)


@pytest.mark.parametrize(
    ("key", "numbers", "whole"),
    [
        ("training.learning_rate", True, False),
        ("training.batch_size", True, True),
        ("training.early_stopping_patience", True, True),
        ("training.ema", True, False),
        ("training.optimizer", False, False),
        ("training.deterministic", False, False),
        ("network.norm", False, False),
    ],
)
def test_a_keys_type_decides_which_numbers_it_accepts(key: str, numbers: bool, whole: bool) -> None:
    assert (takes_numbers(key), takes_whole_numbers(key)) == (numbers, whole)


def test_a_configuration_survives_a_json_round_trip() -> None:
    search = SearchConfig(space={"training.learning_rate": {"min": 0.1, "max": 1}, "network.norm": ["bn", "an"]})
    assert SearchConfig.model_validate_json(search.model_dump_json()) == search
    assert search.space["network.norm"] == Dimension(values=("bn", "an"))
    assert (search.direction, SearchConfig(objective="val_loss").direction) == ("max", "min")
