"""Deadline: ends a training in time if its epochs take longer than measured."""

import time
from typing import Any

import keras

from efficientmixnet.modules import progress

_LATE = 0.03  # of the budget: how much later than its end a training may end


class Deadline(keras.callbacks.Callback):
    """Stops the training after an epoch if the next one would end too late.

    A training that resumes has the part of the budget that belongs to the epochs that are left.

    Args:
        end: When the budget ends, as time.monotonic() counts.
        budget: The seconds of the budget.
        epochs: The epochs of the training.
        phase: The first epoch of the phase, counted from 0. A training that resumes starts later.
    """

    def __init__(self, end: float, budget: float, epochs: int, phase: int = 0) -> None:
        super().__init__()
        self._end, self._budget, self._epochs, self._phase = end, budget, epochs, phase
        self._began: float | None = None
        self._has_started = False

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self._began is None and epoch > self._phase:
            self._end = time.monotonic() + self._budget * (1 - epoch / self._epochs)
        self._began = time.monotonic()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if not self._has_started:  # The first step includes a start, which the next epoch does not repeat.
            self._began, self._has_started = time.monotonic(), True

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        assert self._began is not None
        now = time.monotonic()
        if epoch + 1 < self._epochs and now + (now - self._began) > self._end + _LATE * self._budget:
            self.model.stop_training = True
            progress.tell(
                f"training.budget: ends after {epoch + 1} of {self._epochs} epochs, "
                "because they take longer than measured"
            )
