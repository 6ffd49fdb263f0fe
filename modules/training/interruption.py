"""Interruption: a callback that saves a checkpoint on SIGTERM or Ctrl-C before the process ends."""

from typing import Any

import keras

from efficientmixnet.modules import progress
from efficientmixnet.modules.checkpoint.checkpoint import Checkpoint
from efficientmixnet.modules.training.caught_signals import CaughtSignals


class Interruption(keras.callbacks.Callback):
    """After the step in which a signal arrives: saves a checkpoint, then delivers the signal."""

    def __init__(self, checkpoint: Checkpoint, signals: CaughtSignals) -> None:
        super().__init__()
        self._checkpoint, self._signals = checkpoint, signals

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        caught = self._signals.caught
        if caught is not None and not self._checkpoint.awaits_evaluation:
            self._checkpoint.save()
            progress.tell(f"{caught.name}: the training is saved, and resumes from here when it is started again")
            self._signals.deliver()

    on_epoch_end = on_train_batch_end
