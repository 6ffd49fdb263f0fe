"""A training within a budget ends in time although its epochs take longer than planned."""

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


def _epochs(callback: Deadline, clock: Clock, seconds: float, epochs: range, start: float = 0.0) -> int:
    """Returns the number of the epoch that the training ends after. Its first step takes `start` longer."""
    model = keras.Sequential([keras.layers.Dense(1)])
    model.stop_training = False
    callback.set_model(model)
    for epoch in epochs:
        callback.on_epoch_begin(epoch)
        clock.now += start if epoch == epochs.start else 0.0
        callback.on_train_batch_end(0)
        clock.now += seconds
        callback.on_epoch_end(epoch)
        if model.stop_training:
            return epoch + 1
    return epochs.stop


def test_epochs_as_long_as_planned_are_all_trained(clock: Clock) -> None:
    assert _epochs(Deadline(100.0, 100.0, 10), clock, 10.2, range(10)) == 10


def test_slow_epochs_end_the_training_in_time(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    """Epochs of 25 s instead of 10 s: the fourth ends at 100 s, and a fifth would end at 125 s."""
    assert _epochs(Deadline(100.0, 100.0, 10), clock, 25.0, range(10)) == 4
    assert "ends after 4 of 10 epochs, because they take longer than measured" in capsys.readouterr().out


def test_a_resumed_training_has_the_part_of_its_epochs(clock: Clock) -> None:
    """It resumes much later, in the sixth of ten epochs. The other half of the budget is left."""
    clock.now = 5000.0
    assert _epochs(Deadline(100.0, 100.0, 10), clock, 25.0, range(5, 10)) == 7


def test_a_second_phase_keeps_the_end_of_the_budget(clock: Clock) -> None:
    """The first two epochs trained the classifier only, and ended at 60 s. One epoch of 40 s is left."""
    clock.now = 60.0
    assert _epochs(Deadline(100.0, 100.0, 10, phase=2), clock, 40.0, range(2, 10)) == 3


def test_the_start_is_not_counted_for_later_epochs(clock: Clock) -> None:
    """After 60 s for the start, epochs of 10 s end at 70, 80, 90 and 100 s."""
    assert _epochs(Deadline(100.0, 100.0, 10), clock, 10.0, range(10), start=60.0) == 4
