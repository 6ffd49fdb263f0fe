"""The average of the weights forgets the first ones, on TensorFlow and JAX (see test_backends.py)."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from efficientmixnet.modules.optimizers import Lookahead, build_optimizer
from efficientmixnet.modules.optimizers.build import CLASSES
from efficientmixnet.modules.optimizers.growing_average import GrowingAverage
from efficientmixnet.modules.saved_classes import AVERAGING


def average_of(optimizer: Any, updates: int, steps: int = 1) -> float:
    """Returns the average of a weight that goes from 0 to 1, 2, 3 and so on with every update."""
    variable = keras.Variable([0.0])
    for _ in range(updates * steps):
        optimizer.apply([-ops.ones(1)], [variable])
    optimizer.finalize_variable_values([variable])
    return float(ops.convert_to_numpy(variable)[0])


def test_the_momentum_grows_up_to_its_value() -> None:
    # Starts with 1. Then m is 2/11, 3/12, 4/13; with at most .2: 2/11, .2, .2.
    expected = 1.0
    for n, weight in ((1, 2.0), (2, 3.0), (3, 4.0)):
        expected += (1 - (1 + n) / (10 + n)) * (weight - expected)
    assert average_of(build_optimizer("sgd", 1.0, ema_momentum=0.9999), 4) == pytest.approx(expected)
    two = 1 + 9 / 11
    three = two + 0.8 * (3 - two)
    assert average_of(build_optimizer("sgd", 1.0, ema_momentum=0.2), 4) == pytest.approx(three + 0.8 * (4 - three))


def test_a_training_that_ends_early_has_an_average_of_its_last_tenth() -> None:
    """A weight that is 1 to 500 has an average above 440. With a constant momentum of .9999, it is 12."""
    assert 440 < average_of(build_optimizer("sgd", 1.0, ema_momentum=0.9999), 500) < 460


def test_accumulated_gradients_are_no_update() -> None:
    accumulating = build_optimizer({"name": "sgd", "gradient_accumulation_steps": 3}, 1.0, ema_momentum=0.9999)
    assert average_of(accumulating, 4, steps=3) == pytest.approx(
        average_of(build_optimizer("sgd", 1.0, ema_momentum=0.9999), 4)
    )


def test_ranger_averages_the_weights_of_its_rectified_adam() -> None:
    optimizer = build_optimizer({"name": "ranger", "beta_1": 0.8, "sync_period": 3}, 1.0, ema_momentum=0.99)
    assert isinstance(optimizer, Lookahead)
    inner = optimizer.inner_optimizer
    assert (optimizer.sync_period, inner.beta_1, inner.ema_momentum) == (3, 0.8, 0.99)


def test_every_optimizer_averages_and_is_saved_under_its_name() -> None:
    kinds = {name: build_optimizer(name, 0.1, ema_momentum=0.9) for name in CLASSES if name != "ranger"}
    assert {type(optimizer).__name__ for optimizer in kinds.values()} == AVERAGING.keys()
    for optimizer in kinds.values():
        again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(optimizer))
        assert (type(again), again.ema_momentum) == (type(optimizer), 0.9)


def test_resumed_training_has_the_same_average(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    x, y = draw.normal(size=(12, 4, 3)).astype("float32"), draw.normal(size=(12, 4, 1)).astype("float32")
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(build_optimizer("adam", 0.1, ema_momentum=0.99), "mse", jit_compile=False)
    for step in range(5):
        model.train_on_batch(x[step], y[step])
    model.save(tmp_path / "a.keras")
    resumed = keras.saving.load_model(tmp_path / "a.keras")
    for each in (model, resumed):
        for step in range(5, 12):
            each.train_on_batch(x[step], y[step])
        each.optimizer.finalize_variable_values(each.trainable_variables)
    for mine, theirs in zip(model.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_the_average_that_an_optimizer_asks_for_grows_too() -> None:
    assert isinstance(build_optimizer({"name": "sgd", "use_ema": True}, 0.1), GrowingAverage)
    assert not isinstance(build_optimizer("sgd", 0.1), GrowingAverage)
