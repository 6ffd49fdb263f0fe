"""A training within a budget that is faster or slower than measured gets other epochs when its first one ends."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from budget_job import CUSTOM, job_for

from efficientmixnet.modules.training import budget, deadline, replan
from efficientmixnet.modules.training.budget import within_budget
from efficientmixnet.modules.training.deadline import Deadline
from efficientmixnet.modules.training.measure_network import Speed
from efficientmixnet.modules.training.replan import Replan, better_epochs, keeps_first_rates
from efficientmixnet.modules.training.training_job import train


def _choice(epoch_seconds: float, startup_seconds: float, most: int = 1000) -> dict[str, Any]:
    """The choice of a network whose step takes 1 s."""
    chosen = {"name": "b", "epoch_seconds": epoch_seconds, "step_seconds": 1.0, "startup_seconds": startup_seconds}
    return {"name": "b", "why": "so", "considered": [{"name": "a"}, chosen], "most_epochs": most}


@pytest.mark.parametrize(
    ("step", "planned", "left", "choice", "epochs"),
    [
        (0.8, 10, 92, _choice(10, 5), 11),  # .97 x 92 s, less 4 s, are ten epochs of 8 s after the first
        (0.1, 10, 99, _choice(10, 5, most=15), 15),
        (1.2, 10, 88, _choice(10, 5), 7),  # .97 x 88 s, less 6 s, are six epochs of 12 s; nine would take 108 s
        (1.0, 10, 90, _choice(10, 5), 10),  # nine epochs of 10 s are in time, but eight after another start
        (0.95, 100, 99, _choice(1, 0), 100),  # 102 fit, which does not pay
        (0.9, 100, 99, _choice(1, 0), 107),  # .97 x 99 / .9 = 106.7
        (9.0, 2, 10, _choice(10, 5), 2),  # no other epoch fits; the deadline ends the training
        (0.5, 10, 92, _choice(10, 5) | {"most_epochs": None}, 10),  # written by an earlier version
    ],
)
def test_other_epochs_fill_the_budget_if_they_pay(
    step: float, planned: int, left: float, choice: dict[str, Any], epochs: int
) -> None:
    assert better_epochs(choice, planned, step, left) == epochs


@pytest.mark.parametrize(
    ("schedule", "network", "same"),
    [
        ({"name": "cosine", "warmup_epochs": 1}, {}, True),
        ({"name": "exponential", "warmup_epochs": 1}, {}, True),
        ({"name": "constant"}, {}, True),
        ({"name": "cosine", "warmup_epochs": 0.7}, {}, False),  # the cosine begins in the first epoch
        ({"name": "cosine", "warmup_epochs": 1}, {"weights": "a.keras"}, False),  # two phases
    ],
    ids=str,
)
def test_only_a_plan_with_the_same_learning_rates_so_far_is_taken(
    tmp_path: Path, schedule: dict[str, Any], network: dict[str, Any], same: bool
) -> None:
    jobs = [job_for("none", tmp_path, CUSTOM | network, epochs=epochs, schedule=schedule) for epochs in (12, 15)]
    assert keeps_first_rates(*jobs, steps=30) == same


class Clock:
    """A time that only the test moves."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


class Training:
    """Has 1,000 s for 12 epochs of 75 s: ten steps of 7 s, and 5 s of evaluation. It starts at 40 s within 20 s."""

    def __init__(self, folder: Path, clock: Clock, steps_done: int = 0) -> None:
        budgeted = {"budget": "1000s", "epochs": 12, "schedule": {"name": "cosine", "warmup_epochs": 1}}
        self.job = job_for("none", folder, CUSTOM, **budgeted)
        chosen = {"name": "custom", "epoch_seconds": 75.0, "step_seconds": 7.0, "startup_seconds": 20.0}
        choice = {"name": "custom", "why": "network.variant is given", "considered": [chosen], "most_epochs": 120}
        (folder / "budget.json").write_text(json.dumps(choice))
        self.saved: list[float] = []
        self.checkpoint: Any = SimpleNamespace(steps_done=steps_done, save=lambda: self.saved.append(clock.now))
        self.deadline = Deadline(0.0, 1000.0, 12, 10, self.checkpoint)
        self.replan = Replan(self.job, self.deadline, 10, self.checkpoint)
        self.clock, self.model = clock, SimpleNamespace(stop_training=False)
        clock.now = 40.0

    def run(self, factor: float, first: int = 0) -> int:
        """Trains with the seconds of the measurement times this factor. Returns the epochs that are done at the end."""
        self.model.stop_training = False
        callbacks = (self.deadline, self.replan)
        for each in callbacks:
            each.set_model(self.model)
            each.set_params({"epochs": self.deadline.epochs})
            each.on_train_begin()
        self.clock.now += 20 * factor
        for epoch in range(first, self.deadline.epochs):
            for each in callbacks:
                each.on_epoch_begin(epoch)
            for step in range(10 - self.checkpoint.steps_done):
                self.clock.now += 7 * factor
                self.deadline.on_train_batch_end(step)
            self.checkpoint.steps_done = 0
            self.clock.now += 5 * factor
            for each in callbacks:
                each.on_epoch_end(epoch)
            if self.model.stop_training:
                return epoch + 1
        return self.deadline.epochs


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(deadline, "time", found)
    return found


@pytest.mark.parametrize(
    ("factor", "epochs", "end"),
    [
        (
            0.87,
            13,
            923.05,
        ),  # 122.65 s for the first epoch, 17.4 s for another start, and twelve of 65.25 s
        (0.5, 24, 960.0),  # 87.5 s, 10 s, and 23 of 37.5 s
        (1.15, 10, 948.5),  # 149.25 s, 23 s, and nine of 86.25 s
    ],
)
def test_a_new_plan_ends_within_the_budget(
    tmp_path: Path, clock: Clock, factor: float, epochs: int, end: float
) -> None:
    training = Training(tmp_path, clock)
    assert training.run(factor) == 1
    assert training.replan.is_due
    assert training.saved == [pytest.approx(40 + 95 * factor)]
    assert training.run(factor, first=1) == epochs == training.replan.job.config.training.epochs
    assert clock.now == pytest.approx(end)
    kept = json.loads((tmp_path / "budget.json").read_text())
    assert kept["why"].endswith(f"; after the first epoch, there is time for {epochs} epochs instead of 12")
    assert (kept["config"]["training"]["epochs"], kept["config"]["training"]["schedule"]["warmup_epochs"]) == (
        epochs,
        1,
    )


def test_a_training_as_fast_as_measured_goes_on(tmp_path: Path, clock: Clock) -> None:
    training = Training(tmp_path, clock)
    assert training.run(1.0) == 12
    assert (training.replan.is_due, training.saved, clock.now) == (False, [], 960.0)


def test_a_first_epoch_that_is_too_short_to_measure_a_step_keeps_the_plan(tmp_path: Path, clock: Clock) -> None:
    """Its steps take 14 s, less than 2 % of the budget."""
    training = Training(tmp_path, clock)
    assert training.run(0.2) == 12
    assert not training.replan.is_due


def test_a_training_that_resumes_within_the_first_epoch_keeps_its_plan(tmp_path: Path, clock: Clock) -> None:
    training = Training(tmp_path, clock, steps_done=5)
    assert training.run(0.5) == 12
    assert not training.replan.is_due


def test_a_training_with_a_new_plan_is_the_one_that_had_it_from_the_start(
    records: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step of a second is measured, so after the first epoch there is time for the most epochs, which are twelve."""

    def trained(name: str, speed: Speed) -> list[np.ndarray]:
        monkeypatch.setattr(budget, "measure_network", lambda *_: speed)
        # A lost momentum or average shows in the weights.
        optimizer = {"name": "lookahead", "inner": {"name": "sgd", "momentum": 0.9}, "sync_period": 4}
        settings = {"optimizer": optimizer, "learning_rate": 0.05, "ema": 0.9, "checkpoint": {"every_epochs": 5}}
        network = CUSTOM | {"dropout": 0.1, "drop_connect": 0.1}
        augmentation = {"crop_scale": [0.85, 1.0]}
        job = job_for(records, tmp_path / name, network, budget="1000s", augmentation=augmentation, **settings)
        done = train(job)
        assert done.job.config.training.epochs == len(done.checkpoint.history) == 12
        assert within_budget(job, SimpleNamespace(workers=1)) == done.job.config  # type: ignore[arg-type]
        weights: list[np.ndarray] = done.model.get_weights()
        return weights

    monkeypatch.setattr(budget, "_ENOUGH", {False: (1, 0)})
    monkeypatch.setattr(budget, "_MOST", 12)
    monkeypatch.setattr(replan, "_LEAST_TIME", 0.0)
    from_the_start = trained("from_the_start", Speed(0.0, 10.0))
    planned_again = trained("planned_again", Speed(0.0, 90.0, step_seconds=1.0))  # ten epochs at first
    for one, other in zip(planned_again, from_the_start, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
