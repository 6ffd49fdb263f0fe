"""An epoch is evaluated with the weights that a training would export after it."""

from pathlib import Path

import keras
import numpy as np
import pytest

from efficientmixnet.modules.checkpoint.checkpoint import Checkpoint
from efficientmixnet.modules.optimizers import build_optimizer
from efficientmixnet.modules.optimizers.grouped import Grouped
from efficientmixnet.modules.training.averaged_evaluation import AveragedEvaluation

X = np.random.default_rng(0).normal(size=(32, 3)).astype("float32")
Y = X[:, :1]
OPTIMIZERS = {
    "sgd": lambda: build_optimizer("sgd", 0.3, ema_momentum=0.9),
    "lookahead": lambda: build_optimizer({"name": "lookahead", "inner": "sgd"}, 0.3, ema_momentum=0.9),
    "grouped": lambda: Grouped([build_optimizer("sgd", rate, ema_momentum=0.9) for rate in (0.3, 0.1)], {}),
}


def _model(name: str) -> keras.Model:
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(OPTIMIZERS[name](), "mse")
    return model


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_logs_are_those_of_the_exported_weights_and_the_training_is_the_same(name: str) -> None:
    plain, judged = _model(name), _model(name)
    arguments = {"batch_size": 4, "epochs": 3, "shuffle": False, "verbose": 0, "validation_data": (X, Y)}
    history = {
        model: model.fit(X, Y, callbacks=more, **arguments).history
        for model, more in ((plain, []), (judged, [AveragedEvaluation()]))
    }
    assert history[judged]["loss"] == history[plain]["loss"]
    for one, other in zip(judged.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert history[judged]["val_loss"][-1] == pytest.approx(judged.evaluate(X, Y, verbose=0), rel=1e-5)
    assert history[plain]["val_loss"][-1] != pytest.approx(plain.evaluate(X, Y, verbose=0), rel=1e-3)


def test_early_stopping_ends_with_the_weights_that_it_has_judged(tmp_path: Path) -> None:
    model, checkpoint = _model("sgd"), Checkpoint(str(tmp_path), patience=1)
    arguments = {"batch_size": 4, "epochs": 3, "verbose": 0, "validation_data": (X, Y)}
    model.fit(X, Y, callbacks=[AveragedEvaluation(), checkpoint], **arguments)
    best = checkpoint.history[checkpoint.best_epoch - 1]
    assert model.evaluate(X, Y, verbose=0) == pytest.approx(best["val_loss"], rel=1e-5)
