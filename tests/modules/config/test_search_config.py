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


def test_whole_and_other_numbers_are_one_type() -> None:
    assert [type(one) for one in as_choices([0, 0.2])] == [float, float]
    assert [type(one) for one in as_choices([16, 32])] == [int, int]


def test_trials_with_other_epochs_have_the_decay_of_the_recipe() -> None:
    recipe = ModelConfig.model_validate({"training": {"recipe": "efficientnet", "epochs": 40}})
    trial = SearchConfig(epochs=8).of_a_trial(recipe)
    assert trial.training.epochs == 8
    assert recipe.training.schedule.decay_epochs == pytest.approx(2.4 * 40 / 350)  # 2.4 of 350, as in the paper
    assert trial.training.schedule.decay_epochs == pytest.approx(2.4 * 8 / 350)


@pytest.mark.parametrize(
    ("space", "key", "reason"),
    [
        ({"training.batch_size": {"min": 16, "max": 64, "step": 0.5}}, "space.training.batch_size.step", "whole"),
        ({"training.batch_size": {"min": 16, "max": 64, "step": 1.5}}, "space.training.batch_size.step", "whole"),
    ],
)
def test_a_step_between_whole_numbers_is_whole(space: dict[str, Any], key: str, reason: str) -> None:
    ((found, _, why),) = SearchConfig.model_validate({"space": space}).misfits(ModelConfig())
    assert found == key
    assert reason in str(why)


def test_a_budget_is_not_searched() -> None:
    with pytest.raises(ValueError, match="it sets the epochs"):
        SearchConfig.model_validate({"space": {"training.budget": ["1m", "2m"]}})


def test_a_norm_with_a_kind_is_replaced() -> None:
    below = ModelConfig.model_validate({"network": {"norm": {"kind": "an", "n_mixture": 10}}})
    assert with_values(below, {"network.norm": {"kind": "iebn", "init": "paper"}}).network.norm.kind == "iebn"
    assert with_values(below, {"network.norm": {"kind": "an", "init": "paper"}}).network.norm.n_mixture is None


def test_losses_of_different_label_smoothing_are_not_compared() -> None:
    space = {"training.label_smoothing": [0.0, 0.1]}
    assert SearchConfig.model_validate({"space": space}).objective == "val_accuracy"
    with pytest.raises(ValueError, match=r"val_loss depends on training\.label_smoothing, which the trials change"):
        SearchConfig.model_validate({"space": space, "objective": "val_loss"})


def test_epochs_are_not_searched_in_shorter_trials() -> None:
    """Their best value would be used in a longer training."""
    space = {"training.schedule.decay_epochs": [0.5, 2.4]}
    assert not list(SearchConfig.model_validate({"space": space}).misfits(ModelConfig()))
    ((key, value, why),) = SearchConfig.model_validate({"space": space, "epochs": 2}).misfits(ModelConfig())
    assert (key, value) == ("epochs", 2)
    assert "values of training.schedule.decay_epochs would be for these epochs" in str(why)
