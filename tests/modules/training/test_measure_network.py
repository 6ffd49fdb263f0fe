"""The time of an epoch is measured in a few steps of the training that will follow."""

import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from budget_job import CUSTOM, job_for

from efficientmixnet.modules.distribution.distribution import Distribution, choose_distribution
from efficientmixnet.modules.training import training_job
from efficientmixnet.modules.training.build_model import build_model
from efficientmixnet.modules.training.measure_network import _Enough, _StepClock, measure_network


def test_slow_first_steps_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Caches and pipelines fill in the first steps, which take two seconds each here. Later ones take half a second."""
    times = iter([0.0, 2.0, 4.0, *np.arange(4.5, 20.0, 0.5)])
    monkeypatch.setattr("efficientmixnet.modules.training.measure_network.time.monotonic", lambda: next(times))
    clock = _StepClock(seconds=9.0)
    with pytest.raises(_Enough):
        for batch in range(100):
            clock.on_train_batch_end(batch)
    assert clock.step_seconds == pytest.approx(0.5)


def test_the_start_of_an_evaluation_counts_once(records: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The start takes half a second here. Extrapolated from 4 of the 80 batches, it would count 20 times."""
    begin = keras.callbacks.CallbackList.on_test_begin

    def begin_slowly(callbacks: keras.callbacks.CallbackList, logs: Any = None) -> None:
        begin(callbacks, logs)
        time.sleep(0.5)

    monkeypatch.setattr(keras.callbacks.CallbackList, "on_test_begin", begin_slowly)
    job = job_for(records, tmp_path, CUSTOM, batch_size=2)
    speed = measure_network(job, choose_distribution("none"), seconds=1.0)
    assert 0.5 < speed.epoch_seconds < 5


def test_an_evaluation_with_parts_of_a_batch_has_more_batches(
    records: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """4 images in a step are 4 parts of one image, so the evaluation of 160 images has 160 batches of 0.05 s."""
    end = keras.callbacks.CallbackList.on_test_batch_end

    def end_slowly(callbacks: keras.callbacks.CallbackList, batch: int, logs: Any = None) -> None:
        end(callbacks, batch, logs)
        time.sleep(0.05)

    monkeypatch.setattr(keras.callbacks.CallbackList, "on_test_batch_end", end_slowly)
    monkeypatch.setattr(Distribution, "accumulated_batches", lambda self, training: 4)
    job = job_for(records, tmp_path, CUSTOM, batch_size=1)
    assert measure_network(job, choose_distribution("none"), seconds=0.01).epoch_seconds > 160 * 0.05


def test_the_measured_network_has_synchronized_norms_if_the_training_has(
    records: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build(*arguments: Any, **options: Any) -> keras.Model:
        synchronized.append(options["synchronized"])
        return build_model(*arguments, **options)

    synchronized: list[bool] = []
    monkeypatch.setattr(training_job, "build_model", build)
    for devices in (False, True):
        monkeypatch.setattr(Distribution, "is_mirrored", devices)
        measure_network(job_for(records, tmp_path, CUSTOM), choose_distribution("none"), seconds=0.01)
    assert synchronized == [False, True]


def test_networks_are_measured_before_the_epochs_are_known(records: str, tmp_path: Path) -> None:
    """The classifier trains in as many epochs as the default of training.epochs has."""
    tuning = {"head_epochs": 10}
    job = job_for(records, tmp_path, CUSTOM | {"weights": "a.keras"}, budget="1m", ema=0.9, fine_tuning=tuning)
    speed = measure_network(job, choose_distribution("none"), seconds=0.1)
    assert speed.epoch_seconds > 0
    assert speed.head_epoch_seconds != speed.epoch_seconds
    assert speed.head_epoch_seconds is not None
