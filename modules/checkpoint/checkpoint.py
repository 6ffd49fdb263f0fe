"""Checkpoint: a callback that saves the whole state of a training in one file, so that it can resume.

Keras's BackupAndRestore saves the weights and the optimizer. It does not save the random state of layers such as
dropout, the step within an epoch, or the state of EarlyStopping and the history. This callback saves every variable,
the logs of the finished epochs, and the number of steps since then.
"""

import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras

from efficientmixnet.modules.checkpoint.checkpoint_folder import CheckpointFolder, State
from efficientmixnet.modules.exceptions import BadInput


class Checkpoint(keras.callbacks.Callback):
    """Saves the training's state, and stops it early with the weights of the best epoch.

    The training waits only for a copy in memory. A thread writes the file while the training continues.

    Args:
        folder: The folder of the checkpoints. It holds the last two and the best epoch's.
        patience: Stops after this many epochs without a lower `val_loss`; None: never, and the last weights stay.
        every_epochs: Saves after every n-th epoch, and after the last one.
        every_minutes: Saves within an epoch when this many minutes have passed since the last time; None: never.
        worker: The index of this worker. Only worker 0 saves.
        workers: The number of workers.

    Example:
        >>> checkpoint = Checkpoint("checkpoints", patience=5)
        >>> done = checkpoint.restore(model)
        >>> model.fit(x, y, initial_epoch=done, epochs=20, validation_data=(x, y), callbacks=[checkpoint])
    """

    def __init__(
        self,
        folder: str,
        patience: int | None = None,
        every_epochs: int = 1,
        every_minutes: float | None = None,
        worker: int = 0,
        workers: int = 1,
    ) -> None:
        super().__init__()
        self.folder = CheckpointFolder(Path(folder))
        self.history: list[dict[str, float]] = []
        self.steps_done = 0  # since the last epoch in the history
        self.means: dict[str, float] = {}  # of loss and metrics over these steps
        self.patience = patience
        self.phase = 0  # the first epoch of the current optimizer
        self._every_epochs, self._every_minutes = every_epochs, every_minutes
        self._writes = worker == 0
        self._saved_at = time.monotonic()
        self._best: State | None = None  # of the best epoch, until it is written

    def restore(self, model: keras.Model, phase: int = 0) -> int:
        """Restores a built and compiled model from the newest checkpoint.

        Args:
            model: The model.
            phase: The first epoch of the model's optimizer. A training in phases has one optimizer for each phase. The
                model is restored only from a checkpoint of the same phase.

        Returns:
            The number of finished epochs. `self.phase` is then the first epoch of the phase that the training is in.

        Raises:
            BadInput: The checkpoint is another network's.
        """
        if self.phase < phase == len(self.history):  # this process has just finished the previous phase
            self.phase = phase
            return phase
        for file, state in self.folder.states():
            about = state.about
            self.phase, self.history = max(phase, about["phase"]), about["history"]
            if about["phase"] != phase:
                return len(self.history)
            model.optimizer.build(model.trainable_variables)
            variables = _variables(model)
            _check(file, about["variables"], variables)
            _assign(variables, state)
            self.steps_done, self.means = about["steps_done"], about["means"]
            return len(self.history)
        return 0

    @property
    def best_epoch(self) -> int:
        """The epoch of this phase with the lowest `val_loss`, counted from 1."""
        losses = [math.inf if math.isnan(logs["val_loss"]) else logs["val_loss"] for logs in self.history[self.phase :]]
        return self.phase + losses.index(min(losses)) + 1

    @property
    def is_over(self) -> bool:
        """Whether patience has run out."""
        if self.patience is None or len(self.history) <= self.phase:
            return False
        return len(self.history) - self.best_epoch >= self.patience

    @property
    def awaits_evaluation(self) -> bool:
        """Whether all steps of an epoch are done, but not its evaluation. No training can resume from there."""
        return bool(self.steps_done == self.params["steps"])

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._before = self.steps_done

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.steps_done, self.means = self._before + batch + 1, logs or {}
        minutes = (time.monotonic() - self._saved_at) / 60
        if self._every_minutes is not None and minutes > self._every_minutes and not self.awaits_evaluation:
            self._write_soon()
        if self._before and self.awaits_evaluation:
            self.model.stop_training = True  # `fit` does not know that a resumed epoch is shorter

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.history.append({name: float(value) for name, value in (logs or {}).items()})
        self.steps_done, self.means = 0, {}
        done = len(self.history)
        is_best = self.patience is not None and done == self.best_epoch
        if is_best:
            self._best = self._now()
        if done % self._every_epochs == 0 or self.is_over or done == self.params["epochs"]:
            self._write_soon(self._best if is_best else None)
        self.model.stop_training = self.is_over

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self.folder.wait()
        if self.patience is None or self.best_epoch == len(self.history):
            return
        if best := self._best or self.folder.after(self.best_epoch):
            _assign(_variables(self.model), best)
            self.model.optimizer.finalize_variable_values(self.model.trainable_variables)  # as Keras has just done

    def save(self) -> None:
        """Saves the current state, and waits until it is written."""
        self._write_soon()
        self.folder.wait()

    def _write_soon(self, state: State | None = None) -> None:
        self._saved_at = time.monotonic()
        if not self._writes:
            return
        state = state or self._now()
        states = [state] if self._best in (None, state) else [self._best, state]
        self._best = None
        is_any_best = self.patience is not None and len(self.history) > self.phase
        self.folder.write_soon(*states, best_epoch=self.best_epoch if is_any_best else None)

    def _now(self) -> State:
        variables = _variables(up_to_date(self.model))
        about = {
            "history": list(self.history),
            "steps_done": self.steps_done,
            "means": {name: float(value) for name, value in self.means.items()},
            "phase": self.phase,
            "variables": [[variable.path, list(variable.shape)] for variable in variables],
        }
        return State(about, [keras.ops.convert_to_numpy(variable) for variable in variables])


def up_to_date(model: keras.Model) -> keras.Model:
    """Returns the model with its current variables. Within an epoch, Keras with JAX keeps them outside the model."""
    if keras.backend.backend() == "jax":
        model.jax_state_sync()
    return model


def _variables(model: keras.Model) -> list[keras.Variable]:
    """Returns all variables of the model and its optimizer, such as random states, averages and slow weights."""
    return [*model.variables, *model.optimizer.variables]


def _assign(variables: Sequence[keras.Variable], state: State) -> None:
    for variable, array in zip(variables, state.arrays, strict=True):
        variable.assign(array)


def _check(file: Path, saved: Sequence[Sequence[Any]], variables: Sequence[keras.Variable]) -> None:
    """Refuses the checkpoint of another network, with the first variable that differs."""
    here = [[variable.path, list(variable.shape)] for variable in variables]
    if [shape for _, shape in saved] == [shape for _, shape in here]:
        return
    pairs = zip([*saved, ["nothing", []]], [*here, ["nothing", []]], strict=False)
    (theirs, there), (ours, shape) = next(pair for pair in pairs if pair[0][1] != pair[1][1])
    raise BadInput(
        f"{file}: the checkpoint is another network's: it has {theirs} {there} where this network has {ours} {shape}; "
        "remove its folder to start from the beginning"
    )
