"""TrainingProgress: a callback that reports the progress of a training."""

from typing import Any

import keras

from efficientmixnet.modules import progress


class TrainingProgress(keras.callbacks.Callback):
    """Reports the number of images, the epoch and the metrics after every step.

    Args:
        epochs: The epochs to train, counted from 0.
        steps_per_epoch: The training steps of each epoch.
        batch_size: The images of each step.
        steps_done: The steps of the first epoch that are done already.
        total_epochs: The epochs of the whole training; 0: the end of `epochs`.
    """

    def __init__(
        self, epochs: range, steps_per_epoch: int, batch_size: int, steps_done: int = 0, total_epochs: int = 0
    ) -> None:
        super().__init__()
        self._batch_size, self._total_epochs = batch_size, total_epochs or epochs.stop
        self._steps = len(epochs) * steps_per_epoch - steps_done
        self._epoch = epochs.start

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        progress.start(self._steps * self._batch_size, "images")

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._epoch, self._batch = epoch, -1

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        steps, self._batch = batch - self._batch, batch  # several, if one execution runs several steps
        progress.advance(steps * self._batch_size, self._figures(logs))

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        progress.advance(0, self._figures(logs))

    def _figures(self, logs: dict[str, Any] | None) -> progress.Figures:
        metrics = {name: float(value) for name, value in (logs or {}).items() if name != "learning_rate"}
        return {"epoch": self._epoch + 1, "epochs": self._total_epochs, **metrics}
