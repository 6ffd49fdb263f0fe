"""A budget is a time. It fills in what the configuration leaves out, and refuses what no candidate can have."""

from typing import Any

import pytest

from efficientmixnet.modules.config.model_config import ModelConfig


def test_a_budget_fills_in_what_is_missing() -> None:
    config = ModelConfig.model_validate({"training": {"budget": "30m", "augmentation": {"flip": False}}})
    assert config.network.variant == "auto"
    assert (config.training.optimizer["name"], config.training.learning_rate) == ("adamw", 0.003)
    assert not config.training.augmentation.flip


@pytest.mark.parametrize(
    "values",
    [
        {"training": {"budget": "30m", "optimizer": "adam"}, "network": {"drop_connect": 0.2}},
        {"training": {"budget": "30m"}, "network": {"weights": "imagenet"}},
        {"training": {"epochs": 10}},
    ],
)
def test_a_budget_leaves_what_is_given_fine_tuning_and_given_epochs_alone(values: dict[str, Any]) -> None:
    config = ModelConfig.model_validate(values)
    given = values.get("network", {}).get("drop_connect")
    assert (config.training.optimizer["name"], config.network.drop_connect) == ("adam", given)


@pytest.mark.parametrize("text", ["30", "0m", "m", "-3m", "1w", "30 minutes", "1e9h"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time such as 30m or 2h"):
        ModelConfig.model_validate({"training": {"budget": text}})


def test_auto_needs_a_budget_and_no_file_of_weights() -> None:
    with pytest.raises(ValueError, match=r"network\.variant: auto needs training\.budget"):
        ModelConfig.model_validate({"network": {"variant": "auto"}})
    with pytest.raises(ValueError, match="auto cannot start from a file of weights"):
        ModelConfig.model_validate({"training": {"budget": "1m"}, "network": {"weights": "/a.h5"}})


def test_a_layer_that_no_candidate_has_is_refused() -> None:
    training = {"budget": "10m", "fine_tuning": {"freeze_until": "stage8"}}
    with pytest.raises(ValueError, match=r"the network has no layer 'stage8'; give one such as stage1 to stage7"):
        ModelConfig.model_validate({"network": {"weights": "imagenet"}, "training": training})
