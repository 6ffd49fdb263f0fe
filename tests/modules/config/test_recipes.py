"""Recipes are plain data, and each builds its optimizer and its schedule."""

import json
import re
from pathlib import Path

import keras
import pytest

from efficientmixnet.modules.config.model_config import ModelConfig
from efficientmixnet.modules.config.recipes import RECIPES
from efficientmixnet.modules.optimizers import build_optimizer, parse_optimizer
from efficientmixnet.modules.optimizers.schedules import build_schedule


@pytest.mark.parametrize("name", RECIPES)
def test_recipe_is_plain_data(name: str) -> None:
    assert json.loads(json.dumps(RECIPES[name])) == RECIPES[name]


@pytest.mark.parametrize("name", RECIPES)
def test_recipe_builds(name: str) -> None:
    training = RECIPES[name]["training"]
    schedule = build_schedule(
        learning_rate=training["learning_rate"], steps_per_epoch=10, epochs=training["epochs"], **training["schedule"]
    )
    optimizer = build_optimizer(training["optimizer"], schedule, ema_momentum=training["ema"])
    variable = keras.Variable([1.0])
    for _ in range(2):
        optimizer.apply([keras.ops.ones(1)], [variable])
    assert float(keras.ops.convert_to_numpy(variable.value)[0]) < 1.0


def test_efficientnet_is_the_published_recipe() -> None:
    training = RECIPES["efficientnet"]["training"]
    optimizer = parse_optimizer(training["optimizer"])
    assert [optimizer[key] for key in ("name", "rho", "momentum", "epsilon", "weight_decay")] == [
        "rmsprop",
        0.9,
        0.9,
        1e-3,
        1e-5,
    ]
    assert training["learning_rate"] / training["batch_size"] == 0.016 / 256
    assert training["schedule"] == {"name": "exponential", "warmup_epochs": 5, "decay_rate": 0.97, "decay_epochs": 2.4}
    assert (training["label_smoothing"], training["ema"]) == (0.1, 0.9999)
    assert RECIPES["efficientnet"]["network"] == {"drop_connect": 0.2}


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_leaves_the_variant_its_own_dropout(recipe: str) -> None:
    page = (Path(__file__).parents[3] / "docs" / "network.md").read_text()
    rows = re.findall(r"^\| `EfficientNet(B[0-7])` \|[^|]*\|[^|]*\|[^|]*\| ([\d.]+) \|", page, re.MULTILINE)
    assert [float(rate) for _, rate in rows] == [0.2, 0.2, 0.3, 0.3, 0.4, 0.4, 0.5, 0.5]  # as published
    for variant, rate in rows:
        network = ModelConfig.model_validate({"training": {"recipe": recipe}, "network": {"variant": variant}}).network
        assert network.dropout is None
        assert network.as_variant().dropout_rate == float(rate)
