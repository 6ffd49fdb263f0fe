"""Interruption: a training that is told to stop saves itself first, and ends with a code that asks for a retry."""

from typing import Any

import keras

from efficientmixnet.modules import progress
from efficientmixnet.modules.checkpoint.checkpoint import Checkpoint
from efficientmixnet.modules.training.caught_signals import CaughtSignals


class Interruption(keras.callbacks.Callback):
    """Between two steps after SIGTERM or Ctrl-C: saves, then lets the signal have the effect that it had before."""

    def __init__(self, checkpoint: Checkpoint, signals: CaughtSignals) -> None:
        super().__init__()
        self._checkpoint, self._signals = checkpoint, signals

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        caught = self._signals.caught
        if caught is not None and not self._checkpoint.awaits_evaluation:
            self._checkpoint.save()
            progress.tell(f"{caught.name}: the training is saved, and goes on from here when started again")
            self._signals.take_effect()

    on_epoch_end = on_train_batch_end
