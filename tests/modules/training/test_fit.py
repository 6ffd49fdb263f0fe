"""A training that was over when it was stopped ends with the same weights when it resumes. Its profile is of steps."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest

from efficientmixnet.modules.checkpoint.checkpoint import Checkpoint
from efficientmixnet.modules.config.training_config import TrainingConfig
from efficientmixnet.modules.optimizers import Lookahead
from efficientmixnet.modules.training import fit as fit_module
from efficientmixnet.modules.training.fit import fit

X = np.random.default_rng(0).normal(size=(32, 3)).astype("float32")
DATA: Any = {"x": X, "y": X[:, :1], "validation_data": (X, X[:, :1]), "batch_size": 8, "shuffle": False, "verbose": 0}
# Their learning rates are so high that every epoch is worse than the one before it.
OPTIMIZERS: dict[str, Callable[[], keras.optimizers.Optimizer]] = {
    "moving average": lambda: keras.optimizers.SGD(2.0, use_ema=True),
    "lookahead": lambda: Lookahead(keras.optimizers.SGD(2.0), 3),
}


def _model(optimizer: Callable[[], keras.optimizers.Optimizer]) -> keras.Model:
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(optimizer(), "mse")
    return model


def _resumed(optimizer: Callable[[], keras.optimizers.Optimizer], folder: Path) -> keras.Model:
    model = _model(optimizer)
    data: Any = SimpleNamespace(steps_per_epoch=4, reading=SimpleNamespace(batch_size=8))
    device: Any = SimpleNamespace(accumulated_batches=lambda training: 1)
    fit(model, data, TrainingConfig(epochs=9, early_stopping_patience=2), device, Checkpoint(str(folder)), range(9))
    return model


def _assert_equal(one: keras.Model, other: keras.Model) -> None:
    for mine, its in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, its)


@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS.keys())
def test_a_training_that_is_over_ends_with_the_weights_of_the_best_epoch_again(
    tmp_path: Path, optimizer: Callable[[], keras.optimizers.Optimizer]
) -> None:
    first, checkpoint = _model(optimizer), Checkpoint(str(tmp_path), patience=2)
    first.fit(**DATA, epochs=9, callbacks=[checkpoint])
    assert (len(checkpoint.history), checkpoint.best_epoch) == (3, 1)
    _assert_equal(_resumed(optimizer, tmp_path), first)


@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS.keys())
def test_without_the_best_epochs_file_it_ends_with_the_averaged_weights_of_the_last_epoch(
    tmp_path: Path, optimizer: Callable[[], keras.optimizers.Optimizer], capsys: pytest.CaptureFixture[str]
) -> None:
    _model(optimizer).fit(**DATA, epochs=9, callbacks=[Checkpoint(str(tmp_path), patience=2)])
    (tmp_path / "epoch-0001-step-000000.npz").unlink()
    expected = _model(optimizer)
    expected.fit(**DATA, epochs=3)
    _assert_equal(_resumed(optimizer, tmp_path), expected)
    assert "the checkpoint of the best epoch, 1, cannot be read" in capsys.readouterr().out


def test_the_profiled_steps_are_counted_in_executions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    training, chief = TrainingConfig(profile_steps=(20, 30)), SimpleNamespace(is_chief=True)
    monkeypatch.setattr(fit_module, "TensorBoardImages", lambda *_: None)
    curves, _ = fit_module._tensorboard(str(tmp_path), chief, training, None, ["a"], steps_per_execution=8)  # type: ignore[arg-type]
    assert (curves._start_batch, curves._stop_batch) == (3, 4)  # steps 17 to 24, and 25 to 32
