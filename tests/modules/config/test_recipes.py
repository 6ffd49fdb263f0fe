"""Recipes are plain data, and each builds its optimizer and its schedule."""

import json

import keras
import pytest

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
    assert RECIPES["efficientnet"]["network"] == {"dropout": 0.2, "drop_connect": 0.2}
