"""What ends a training, in words: another worker is gone, the memory is full, the loss is no number any more."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf

from efficientmixnet.modules.checkpoint.checkpoint import Checkpoint, up_to_date
from efficientmixnet.modules.exceptions import BadInput


@contextmanager
def full_memory_in_words(batch_size: int) -> Iterator[None]:
    """Around a training with so many images at once.

    Raises:
        BadInput: the memory is full.
    """
    try:
        yield
    except (tf.errors.ResourceExhaustedError, MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "RESOURCE_EXHAUSTED" not in str(error):  # which is JAX's word
            raise
        raise BadInput(
            f"training.batch_size: {batch_size} images a step do not fit into memory; give fewer, and "
            "training.accumulation_steps 2 to learn from as many at a time"
        ) from error


class FiniteLoss(keras.callbacks.Callback):
    """Stops at the step whose loss is no number, and says what there is to know of it."""

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
            f"training.learning_rate: the loss is not a number any more, in epoch {self._epoch + 1} at step "
            f"{batch + 1}, where the learning rate was {rate:.3g}; give a lower one. "
            + (f"The last good checkpoint is {last}" if last else "There is no checkpoint yet")
        )
