"""TrainingProgress: tells whoever shows the run how far the training is."""

from typing import Any

import keras

from efficientmixnet.modules import progress


class TrainingProgress(keras.callbacks.Callback):
    """Counts images; beside them stand the epoch, `of` so many, and the metrics so far."""

    def __init__(self, epochs: range, steps_per_epoch: int, batch_size: int, steps_done: int = 0, of: int = 0) -> None:
        super().__init__()
        self._epochs, self._batch_size, self._of = epochs, batch_size, of or epochs.stop
        self._steps = len(epochs) * steps_per_epoch - steps_done
        self._epoch = epochs.start

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        progress.start(self._steps * self._batch_size, "images")

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._epoch, self._batch = epoch, -1

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        steps, self._batch = batch - self._batch, batch  # several where they are executed together
        progress.advance(steps * self._batch_size, self._figures(logs))

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        progress.advance(0, self._figures(logs))

    def _figures(self, logs: dict[str, Any] | None) -> progress.Figures:
        metrics = {name: float(value) for name, value in (logs or {}).items() if name != "learning_rate"}
        return {"epoch": self._epoch + 1, "epochs": self._of, **metrics}
