"""Turns the failures of a training into clear messages: out of memory, and a loss that is not finite."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras

from efficientmixnet.modules.checkpoint.checkpoint import Checkpoint, up_to_date
from efficientmixnet.modules.exceptions import BadInput, OutOfMemory
from efficientmixnet.modules.failures.out_of_memory import is_out_of_memory


@contextmanager
def explain_out_of_memory(batch_size: int) -> Iterator[None]:
    """A context for a training with this many images at a time.

    Raises:
        OutOfMemory: Memory is full.
    """
    try:
        yield
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        raise OutOfMemory(
            f"out of memory in training: {batch_size} images do not fit; halve training.batch_size, and set "
            "training.accumulation_steps to 2 to train on the same number for each update, or set training.cache: never"
        ) from error


class FiniteLoss(keras.callbacks.Callback):
    """Stops the training when the loss is not finite. The message has epoch, step, learning rate and checkpoint."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__()
        self._checkpoint = checkpoint
        self._epoch = 0

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if math.isfinite((logs or {}).get("loss", 0.0)):
            return
        rate = float(up_to_date(self.model).optimizer.learning_rate)
        last = self._checkpoint.folder.last_file
        raise BadInput(
            f"training.learning_rate: the loss is not finite in epoch {self._epoch + 1} at step {batch + 1}, where "
            f"the learning rate was {rate:.3g}; give a lower one. "
            + (f"The last checkpoint is {last}" if last else "There is no checkpoint yet")
        )
