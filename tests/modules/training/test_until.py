"""A training that stops for now, as the trials of Hyperband do, stops early like a whole one."""

from pathlib import Path
from typing import Any

import keras
import pytest
from budget_job import CUSTOM, job_for

from efficientmixnet.modules.training import fit
from efficientmixnet.modules.training.training_job import Trained, train

LOSSES = [0.5, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1]


class _GivenLosses(keras.callbacks.Callback):
    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        assert logs is not None
        logs["val_loss"] = LOSSES[epoch]


@pytest.fixture
def trained(
    records: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Trained:
    """The first four of nine epochs, of which the third and fourth are no better than the second."""
    monkeypatch.setattr(fit, "AveragedEvaluation", _GivenLosses)
    tuning = {"layer_decay": 0.8}
    job = job_for(records, tmp_path, CUSTOM, epochs=len(LOSSES), early_stopping_patience=2, fine_tuning=tuning)
    done = train(job.model_copy(update={"until": 6}))
    assert "training.fine_tuning: no effect, because network.weights is null" in capsys.readouterr().out
    return done


def test_it_ends_early_with_the_best_epoch(trained: Trained) -> None:
    assert [epoch["val_loss"] for epoch in trained.checkpoint.history] == LOSSES[:4]
    assert trained.logs["val_loss"] == 0.3
