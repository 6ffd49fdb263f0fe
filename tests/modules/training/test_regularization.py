"""The fewer epochs a budget has time for, the weaker the regularization that the configuration leaves open."""

from typing import Any

import pytest

from efficientmixnet.modules.config.model_config import ModelConfig
from efficientmixnet.modules.training.regularization import regularized

BUDGET = {"training": {"budget": "30m"}}


def _chosen(config: ModelConfig) -> tuple[Any, float | None, float | None]:
    return config.training.augmentation.crop_scale, config.network.dropout, config.network.drop_connect


@pytest.mark.parametrize(
    ("epochs", "smallest_crop", "dropout", "drop_connect"),
    [
        (1, 0.85, 0.0, 0.0),
        (12, 0.85, 0.0, 0.0),
        (24, 0.675, 0.1, 0.05),  # in the middle of 12 and 36
        (36, 0.5, 0.2, 0.1),
        (400, 0.5, 0.2, 0.1),
    ],
)
def test_the_number_of_epochs_decides(epochs: int, smallest_crop: float, dropout: float, drop_connect: float) -> None:
    config = regularized(ModelConfig.model_validate(BUDGET), epochs)
    assert _chosen(config) == ((smallest_crop, 1.0), dropout, drop_connect)


@pytest.mark.parametrize("crop_scale", [None, (0.4, 0.9)])
def test_given_values_stay(crop_scale: tuple[float, float] | None) -> None:
    training = {**BUDGET["training"], "augmentation": {"crop_scale": crop_scale}}
    given = ModelConfig.model_validate({"training": training, "network": {"dropout": 0.3, "drop_connect": 0.4}})
    assert _chosen(regularized(given, 12)) == (crop_scale, 0.3, 0.4)


@pytest.mark.parametrize(
    "values",
    [
        {**BUDGET, "network": {"weights": "imagenet"}},
        {"training": {"budget": "30m", "recipe": "adamw-cosine"}},
    ],
)
def test_recipes_and_fine_tuning_have_values_of_their_own(values: dict[str, Any]) -> None:
    config = ModelConfig.model_validate(values)
    assert regularized(config, 12) == config


def test_without_a_choice_crops_have_half_of_the_area_or_more() -> None:
    assert ModelConfig().training.augmentation.areas == (0.5, 1.0)
