"""Checkpoint: the whole state of a training in one file, so that a stopped training goes on where it was.

Keras's BackupAndRestore keeps weights and optimizer, but neither the random state of dropout and its kin, nor the
place within an epoch, nor what EarlyStopping and the history knew. Here every variable is kept, with the logs of the
epochs done and the steps done since.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras

from efficientmixnet.modules.checkpoint.checkpoint_folder import CheckpointFolder, State
from efficientmixnet.modules.exceptions import BadInput


class Checkpoint(keras.callbacks.Callback):
    """Saves everything every few epochs and minutes, stops early, and then puts the best epoch's weights in the model.

    The training waits for a copy in memory; the file is written while it goes on.

    Args:
        folder: Where to keep the last two states and the best epoch's.
        patience: Stop after so many epochs without a lower `val_loss`; None: never, and the last weights stay.
        every_epochs: Save after so many epochs, and after the last one.
        every_minutes: Save within an epoch too, once so many minutes have passed; None: never.
        worker, workers: Only worker 0 saves.
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
        self.phase = 0  # the epoch with which the present optimizer began
        self._every_epochs, self._every_minutes = every_epochs, every_minutes
        self._writes = worker == 0
        self._saved_at = time.monotonic()
        self._best: State | None = None  # of the best epoch, until it is in a file

    def restore(self, model: keras.Model, phase: int = 0) -> int:
        """Brings a built and compiled model to where it was; returns the number of epochs that are done.

        A training in phases has an optimizer for each. Here `phase` is the epoch with which the model's own began: one
        that came before the checkpoint's, as `self.phase` then tells, or after it, finds nothing to bring back.

        Raises:
            BadInput: the checkpoint is of another network.
        """
        if self.phase < phase == len(self.history):  # which this process has just brought to its end
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
        """The number of epochs after which `val_loss` was lowest, in this phase."""
        losses = [logs["val_loss"] for logs in self.history[self.phase :]]
        return self.phase + losses.index(min(losses)) + 1

    @property
    def is_over(self) -> bool:
        """Whether patience has run out."""
        if self.patience is None or len(self.history) <= self.phase:
            return False
        return len(self.history) - self.best_epoch >= self.patience

    @property
    def awaits_evaluation(self) -> bool:
        """Whether an epoch's steps are all done, but not its evaluation: no place where a training can be taken up."""
        return bool(self.steps_done == self.params["steps"])

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._before = self.steps_done

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.steps_done, self.means = self._before + batch + 1, logs or {}
        minutes = (time.monotonic() - self._saved_at) / 60
        if self._every_minutes is not None and minutes > self._every_minutes and not self.awaits_evaluation:
            self._write_soon()
        if self._before and self.awaits_evaluation:
            self.model.stop_training = True  # the rest of an epoch that was taken up is shorter than `fit` knows

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
        """Writes the state as it is now, and waits for it."""
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
    """The model whose variables are those of the step just done; JAX keeps them elsewhere within an epoch."""
    if keras.backend.backend() == "jax":
        model.jax_state_sync()
    return model


def _variables(model: keras.Model) -> list[keras.Variable]:
    """All state of the model, random seeds included, and of its optimizer, averages and slow weights included."""
    return [*model.variables, *model.optimizer.variables]


def _assign(variables: Sequence[keras.Variable], state: State) -> None:
    for variable, array in zip(variables, state.arrays, strict=True):
        variable.assign(array)


def _check(file: Path, saved: Sequence[Sequence[Any]], variables: Sequence[keras.Variable]) -> None:
    """Names the first layers in which the checkpoint's network is another one."""
    here = [[variable.path, list(variable.shape)] for variable in variables]
    if [shape for _, shape in saved] == [shape for _, shape in here]:
        return
    pairs = zip([*saved, ["nothing", []]], [*here, ["nothing", []]], strict=False)
    (theirs, there), (ours, shape) = next(pair for pair in pairs if pair[0][1] != pair[1][1])
    raise BadInput(
        f"checkpoint {file} is of another network: it has {theirs} {there} where this one has {ours} {shape}; "
        "remove its folder to train anew"
    )
