"""Deadline: ends a training in time if its epochs take longer than measured."""

import time
from typing import Any

import keras

from efficientmixnet.modules import progress
from efficientmixnet.modules.checkpoint.checkpoint import Checkpoint

LATE = 0.03  # of the budget: how much later than its end a training may end


class Deadline(keras.callbacks.Callback):
    """Stops the training after an epoch if the next one would end too late.

    One deadline is for all phases. A training that resumes has the part of the budget that belongs to the steps that
    are left.

    Args:
        begin: When the training began, as time.monotonic() counts.
        budget: The seconds of the budget.
        epochs: The epochs of the training, in all phases.
        steps: The steps of an epoch.
        checkpoint: The checkpoint, which knows the steps of an epoch that were done before. It must come first.
    """

    def __init__(self, begin: float, budget: float, epochs: int, steps: int, checkpoint: Checkpoint) -> None:
        super().__init__()
        self._begin, self._budget, self.epochs, self._steps = begin, budget, epochs, steps
        self._checkpoint = checkpoint
        self._end: float | None = None
        self.is_over = False

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._is_first = True  # epoch of the phase in this process: it includes a start, and may be a part of an epoch

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        now = time.monotonic()
        if self._end is None:
            done = (epoch + self._checkpoint.steps_done / self._steps) / self.epochs
            self._end = (now if done else self._begin) + (1 - done) * self._budget
        self._epoch_began = now
        self._batches: list[tuple[int, float]] = []  # the first and the last one, and when they ended

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self._batches = [*self._batches[:1], (batch, time.monotonic())]

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        assert self._end is not None
        now = time.monotonic()
        next_one = self._seconds_of_a_first_epoch(now) if self._is_first else now - self._epoch_began
        if epoch + 1 == self.params.get("epochs"):  # The next phase trains more layers, and starts anew.
            next_one = max(next_one, self._budget / self.epochs)
        self._is_first = False
        if epoch + 1 < self.epochs and now + next_one > self._end + LATE * self._budget:
            self.model.stop_training = self.is_over = True
            progress.tell(
                f"training.budget: ends after {epoch + 1} of {self.epochs} epochs, "
                "because they take longer than measured"
            )

    @property
    def step_seconds(self) -> float | None:
        """The seconds of a step in this epoch, without the first ones; None: there were too few steps."""
        (first, began), (last, ended) = self._batches[0], self._batches[-1]
        return (ended - began) / (last - first) if last > first else None

    @property
    def seconds_left(self) -> float:
        """The rest of the budget. A training that resumes has its part of it."""
        assert self._end is not None
        return self._end - time.monotonic()

    def _seconds_of_a_first_epoch(self, now: float) -> float:
        """Returns how long the epoch would have taken with all of its steps and without its start."""
        after = now - self._batches[-1][1]  # evaluation and checkpoint
        if self.step_seconds is None:  # as planned
            return max(after, self._budget / self.epochs)
        return self._steps * self.step_seconds + after
