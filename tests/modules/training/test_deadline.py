"""A training within a budget ends in time although its epochs take longer than planned."""

from types import SimpleNamespace

import keras
import pytest

from efficientmixnet.modules.training import deadline
from efficientmixnet.modules.training.deadline import Deadline


class Clock:
    """A time that only the test moves."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(deadline, "time", found)
    return found


class Training:
    """A training of ten epochs of ten steps with a budget of 100 s, which the test begins at a time."""

    def __init__(self, clock: Clock, steps_done: int = 0) -> None:
        self.clock = clock
        self.checkpoint = SimpleNamespace(steps_done=steps_done)
        self.deadline = Deadline(clock.now, 100.0, 10, 10, self.checkpoint)  # type: ignore[arg-type]

    def run(self, seconds: float, epochs: range, start: float = 0.0) -> int:
        """Trains a phase. Returns the number of the epoch that it ends after.

        Args:
            seconds: For the ten steps of an epoch.
            epochs: Of the phase, from the one in which it begins or resumes.
            start: How much longer the first step takes.
        """
        model = keras.Sequential([keras.layers.Dense(1)])
        model.stop_training = False
        self.deadline.set_model(model)
        self.deadline.set_params({"epochs": epochs.stop})
        self.deadline.on_train_begin()
        for epoch in epochs:
            self.deadline.on_epoch_begin(epoch)
            self.clock.now += start if epoch == epochs.start else 0.0
            for step in range(10 - self.checkpoint.steps_done):
                self.clock.now += seconds / 10
                self.deadline.on_train_batch_end(step)
            self.checkpoint.steps_done = 0
            self.deadline.on_epoch_end(epoch)
            if model.stop_training:
                return epoch + 1
        return epochs.stop


def test_epochs_as_long_as_planned_are_all_trained(clock: Clock) -> None:
    assert Training(clock).run(10.2, range(10)) == 10


def test_slow_epochs_end_the_training_in_time(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    """Epochs of 25 s instead of 10 s: the fourth ends at 100 s, and a fifth would end at 125 s."""
    training = Training(clock)
    assert training.run(25.0, range(10)) == 4
    assert training.deadline.is_over
    assert "ends after 4 of 10 epochs, because they take longer than measured" in capsys.readouterr().out


@pytest.mark.parametrize("last", [6, 10])  # before the phase of all layers, or in it
def test_a_resumed_training_has_the_part_of_its_steps(clock: Clock, last: int) -> None:
    """It resumes much later, after five of ten epochs. The other half of the budget is left, for two epochs of 25 s."""
    clock.now = 5000.0
    training = Training(clock)
    ended = training.run(25.0, range(5, last))
    assert (ended if training.deadline.is_over else training.run(25.0, range(last, 10))) == 7


def test_a_training_that_resumes_late_in_an_epoch_has_only_the_rest(clock: Clock) -> None:
    """The last step of the first epoch ends at 2.5 s of 91 s. Three epochs of 25 s fit, and a fourth one does not."""
    assert Training(clock, steps_done=9).run(25.0, range(10)) == 4


def test_the_rest_of_an_epoch_is_not_taken_for_a_whole_one(clock: Clock) -> None:
    """The last five steps of the sixth epoch take 17 s of the 45 s that are left. The seventh would end at 51 s."""
    assert Training(clock, steps_done=5).run(34.0, range(5, 10)) == 6


def test_a_second_phase_keeps_the_end_of_the_budget(clock: Clock) -> None:
    """The first two epochs trained the classifier only, and ended at 60 s. One epoch of 40 s is left."""
    training = Training(clock)
    assert training.run(30.0, range(2)) == 2
    assert training.run(40.0, range(2, 10)) == 3


def test_the_first_phase_ends_in_time_too(clock: Clock) -> None:
    training = Training(clock)
    assert training.run(45.0, range(4)) == 2
    assert training.deadline.is_over


def test_the_start_is_not_counted_for_later_epochs(clock: Clock) -> None:
    """After 60 s for the start, epochs of 10 s end at 70, 80, 90 and 100 s."""
    assert Training(clock).run(10.0, range(10), start=60.0) == 4
