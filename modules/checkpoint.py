"""Checkpoint: the training's state after every epoch, so that a stopped training goes on where it was.

Keras's BackupAndRestore keeps the weights but forgets what EarlyStopping and the history knew; here all of that
follows from one file, the list of each epoch's logs.
"""

import json
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

_STATE = "state.json"


class Checkpoint(keras.callbacks.Callback):
    """Saves weights and optimizer after each epoch, stops early, and leaves the best epoch's weights in the model.

    Args:
        folder: Where to keep the last two epochs and the best one.
        patience: Stop after so many epochs without a lower `val_loss`; None: never, and the last weights stay.
    """

    def __init__(self, folder: str, patience: int | None) -> None:
        super().__init__()
        self.folder = Path(folder)
        self._patience = patience
        self.history: list[dict[str, float]] = []

    def restore(self, model: keras.Model) -> int:
        """Brings a built and compiled model to where it was; returns the number of epochs that are done."""
        if not (self.folder / _STATE).exists():
            return 0
        self.history = json.loads((self.folder / _STATE).read_text())
        model.load_weights(self._weights(len(self.history)))
        return len(self.history)

    @property
    def best_epoch(self) -> int:
        """The number of epochs after which `val_loss` was lowest."""
        losses = [logs["val_loss"] for logs in self.history]
        return losses.index(min(losses)) + 1

    @property
    def is_over(self) -> bool:
        """Whether patience has run out."""
        return self._patience is not None and len(self.history) - self.best_epoch >= self._patience

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.history.append({name: float(value) for name, value in (logs or {}).items()})
        done = len(self.history)
        self.folder.mkdir(parents=True, exist_ok=True)
        # The state names the weights, so it comes last, and a kill between the two leaves the epoch before.
        self.model.save_weights(self._weights(done))
        whole = self.folder / "state.part"
        whole.write_text(json.dumps(self.history))
        whole.replace(self.folder / _STATE)
        for file in self.folder.glob("*.weights.h5"):
            if file not in (self._weights(done), self._weights(self.best_epoch)):
                file.unlink()
        if self.is_over:
            self.model.stop_training = True

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        if self._patience is not None:
            self.model.load_weights(self._weights(self.best_epoch))

    def discard(self) -> None:
        """Removes the checkpoints, once the model they led to is kept elsewhere."""
        tf.io.gfile.rmtree(str(self.folder))

    def _weights(self, epochs_done: int) -> Path:
        return self.folder / f"epoch-{epochs_done:04d}.weights.h5"
