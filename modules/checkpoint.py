"""Checkpoint: the training's state after every epoch, so that a stopped training goes on where it was.

Keras's BackupAndRestore keeps weights and optimizer, but neither the random state of dropout and its kin nor what
EarlyStopping and the history knew. Here every variable is kept, and the rest follows from the list of epochs' logs.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import keras
import numpy as np

_STATE = "state.json"


class Checkpoint(keras.callbacks.Callback):
    """Saves everything after each epoch, stops early, and then leaves the best epoch's weights in the model.

    Args:
        folder: Where to keep the last epoch and the best one.
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
        model.optimizer.build(model.trainable_variables)
        self._load(model, len(self.history))
        return len(self.history)

    @property
    def best_epoch(self) -> int:
        """The number of epochs after which `val_loss` was lowest."""
        losses = [logs["val_loss"] for logs in self.history]
        return losses.index(min(losses)) + 1

    @property
    def is_over(self) -> bool:
        """Whether patience has run out."""
        if self._patience is None or not self.history:
            return False
        return len(self.history) - self.best_epoch >= self._patience

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.history.append({name: float(value) for name, value in (logs or {}).items()})
        done = len(self.history)
        self.folder.mkdir(parents=True, exist_ok=True)
        # The state names the file of variables, so it comes last, and a kill between the two leaves the epoch before.
        np.savez(self._file(done), *(keras.ops.convert_to_numpy(variable) for variable in _variables(self.model)))
        whole = self.folder / "state.part"
        whole.write_text(json.dumps(self.history))
        whole.replace(self.folder / _STATE)
        for file in self.folder.glob("*.npz"):
            if file not in (self._file(done), self._file(self.best_epoch)):
                file.unlink()
        if self.is_over:
            self.model.stop_training = True

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        if self._patience is not None:
            self._load(self.model, self.best_epoch)

    def discard(self) -> None:
        """Removes the checkpoints, once the model they led to is kept elsewhere."""
        shutil.rmtree(self.folder)

    def _load(self, model: keras.Model, epochs_done: int) -> None:
        with np.load(self._file(epochs_done), allow_pickle=False) as arrays:
            for variable, name in zip(_variables(model), arrays.files, strict=True):
                variable.assign(arrays[name])

    def _file(self, epochs_done: int) -> Path:
        return self.folder / f"epoch-{epochs_done:04d}.npz"


def _variables(model: keras.Model) -> list[keras.Variable]:
    """All state of the model, random seeds included, and of its optimizer, averages and slow weights included."""
    return [*model.variables, *model.optimizer.variables]
