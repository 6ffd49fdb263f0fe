"""An epoch ends with the weights that a training would export after it (on JAX too, see test_training_on_jax.py)."""

import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from efficientmixnet.modules.checkpoint.checkpoint import Checkpoint
from efficientmixnet.modules.optimizers import build_optimizer
from efficientmixnet.modules.optimizers.grouped import Grouped
from efficientmixnet.modules.training.averaged_evaluation import AveragedEvaluation

X = np.random.default_rng(0).normal(size=(32, 3)).astype("float32")
Y = X[:, :1]
LOOKAHEAD = {"name": "lookahead", "inner": "sgd", "sync_period": 5}
OPTIMIZERS = {
    "sgd": lambda: build_optimizer("sgd", 0.3, ema_momentum=0.9),
    "use_ema": lambda: build_optimizer({"name": "sgd", "use_ema": True, "ema_momentum": 0.9}, 0.3),
    "lookahead": lambda: build_optimizer(LOOKAHEAD, 0.3, ema_momentum=0.9),
    "slow weights": lambda: build_optimizer(LOOKAHEAD, 0.3),
    "grouped": lambda: Grouped([build_optimizer("sgd", rate, ema_momentum=0.9) for rate in (0.3, 0.1)], {}),
    "grouped slow weights": lambda: Grouped([build_optimizer(LOOKAHEAD, rate) for rate in (0.3, 0.1)], {}),
}
# 8 steps of each epoch, so that the slow weights are synchronized in the middle of one.
ARGUMENTS: dict[str, Any] = {"batch_size": 4, "shuffle": False, "verbose": 0, "validation_data": (X, Y)}


def _model(name: str) -> keras.Model:
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(OPTIMIZERS[name](), "mse")
    return model


class Weights(keras.callbacks.Callback):
    """Keeps the weights at the end of each epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.after: list[list[np.ndarray]] = []

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.after.append([np.array(weight) for weight in self.model.get_weights()])


def _assert_equal(weights: list[np.ndarray], others: list[np.ndarray]) -> None:
    for one, other in zip(weights, others, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_logs_are_those_of_the_exported_weights_and_the_training_is_the_same(name: str) -> None:
    plain, judged = _model(name), _model(name)
    history = {
        model: model.fit(X, Y, epochs=3, callbacks=more, **ARGUMENTS).history
        for model, more in ((plain, []), (judged, [AveragedEvaluation()]))
    }
    assert history[judged]["loss"] == history[plain]["loss"]
    _assert_equal(judged.get_weights(), plain.get_weights())
    assert history[judged]["val_loss"][-1] == pytest.approx(judged.evaluate(X, Y, verbose=0), rel=1e-5)
    assert history[plain]["val_loss"][-1] != pytest.approx(plain.evaluate(X, Y, verbose=0), rel=1e-3)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_callbacks_before_it_see_what_is_exported_and_those_after_it_the_last_step(name: str) -> None:
    before, after, untouched = Weights(), Weights(), Weights()
    _model(name).fit(X, Y, epochs=2, callbacks=[before, AveragedEvaluation(), after], **ARGUMENTS)
    _model(name).fit(X, Y, epochs=2, callbacks=[untouched], **ARGUMENTS)
    for epochs in (1, 2):
        ended = _model(name)
        ended.fit(X, Y, epochs=epochs, **ARGUMENTS)
        _assert_equal(before.after[epochs - 1], ended.get_weights())
        _assert_equal(after.after[epochs - 1], untouched.after[epochs - 1])


def test_an_epoch_without_a_synchronization_is_no_end_of_a_training() -> None:
    """After the fourth step of a period of five, the slow weights are still those of the start."""
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "Lookahead")
        model = _model("slow weights")
        start = model.evaluate(X, Y, verbose=0)
        logs = model.fit(X, Y, epochs=2, callbacks=[AveragedEvaluation()], **{**ARGUMENTS, "batch_size": 8}).history
    assert logs["val_loss"][0] == pytest.approx(start)
    assert logs["val_loss"][1] < 0.9 * start


def test_early_stopping_ends_with_the_weights_that_it_has_judged(tmp_path: Path) -> None:
    model, checkpoint = _model("sgd"), Checkpoint(str(tmp_path), patience=1)
    arguments = {**ARGUMENTS, "shuffle": True}
    model.fit(X, Y, epochs=3, callbacks=[AveragedEvaluation(), checkpoint], **arguments)
    best = checkpoint.history[checkpoint.best_epoch - 1]
    assert model.evaluate(X, Y, verbose=0) == pytest.approx(best["val_loss"], rel=1e-5)
