"""Checkpoint: the whole state of a training in one file, so that a stopped training goes on where it was.

Keras's BackupAndRestore keeps weights and optimizer, but neither the random state of dropout and its kin, nor the
place within an epoch, nor what EarlyStopping and the history knew. Here every variable is kept, with the logs of the
epochs done and the steps done since. A file is written beside its place and then moved there, so it is whole or not
there at all; one that the disk spoiled fails its checksums, and the one before it counts.
"""

import json
import os
import shutil
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from efficientmixnet.modules import checkpoint_copies, progress
from efficientmixnet.modules.bad_input import BadInput
from efficientmixnet.modules.ration import Ration

State = dict[str, Any]
_STATE = "state"
_SHARE = 0.03  # of the time, for checkpoints
_UNREADABLE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)


class Checkpoint(keras.callbacks.Callback):
    """Saves everything every few epochs and minutes, stops early, and then puts the best epoch's weights in the model.

    Args:
        folder: Where to keep the last two states and the best epoch's.
        patience: Stop after so many epochs without a lower `val_loss`; None: never, and the last weights stay.
        every_epochs: Save after so many epochs; None: as often as takes 3 % of the time. The last one is always saved.
        every_minutes: Save within an epoch too, once so many minutes have passed; None: never.
        worker, workers: Only worker 0 saves.
    """

    def __init__(
        self,
        folder: str,
        patience: int | None = None,
        every_epochs: int | None = None,
        every_minutes: float | None = None,
        worker: int = 0,
        workers: int = 1,
    ) -> None:
        super().__init__()
        self.folder = Path(folder)
        self.history: list[dict[str, float]] = []
        self.steps_done = 0  # since the last epoch in the history
        self.means: dict[str, float] = {}  # of loss and metrics over these steps
        self.patience = patience
        self.phase = 0  # the epoch with which the present optimizer began
        self._every_epochs, self._every_minutes = every_epochs, every_minutes
        self._writes = worker == 0
        self._ration = Ration(_SHARE)
        self._best: tuple[State, list[np.ndarray]] | None = None  # in memory, and in a file with the next one saved

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
        checkpoint_copies.fetch(self.folder)
        for file in reversed(self._files()):
            try:
                state, arrays = _read(file)
            except _UNREADABLE as error:
                progress.tell(f"checkpoint {file} cannot be read ({error}); the one before it is taken")
                continue
            self.phase, self.history = max(phase, state["phase"]), state["history"]
            if state["phase"] != phase:
                return len(self.history)
            model.optimizer.build(model.trainable_variables)
            variables = _variables(model)
            _check(file, state["variables"], variables)
            for variable, array in zip(variables, arrays, strict=True):
                variable.assign(array)
            self.steps_done, self.means = state["steps_done"], state["means"]
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

    @property
    def last_file(self) -> Path | None:
        """The newest checkpoint, or None before the first one."""
        return next(reversed(self._files()), None)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._before = self.steps_done

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.steps_done, self.means = self._before + batch + 1, logs or {}
        if (
            self._every_minutes is not None
            and self._ration.idle > 60 * self._every_minutes
            and not self.awaits_evaluation
        ):
            self.save()
        if self._before and self.awaits_evaluation:
            self.model.stop_training = True  # the rest of an epoch that was taken up is shorter than `fit` knows

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.history.append({name: float(value) for name, value in (logs or {}).items()})
        self.steps_done, self.means = 0, {}
        done = len(self.history)
        if self.patience is not None and done == self.best_epoch:
            state, arrays = self._now()
            self._best = state, [array.copy() for array in arrays]
        due = done % self._every_epochs == 0 if self._every_epochs else self._ration.is_due
        if due or self.is_over or done == self.params["epochs"]:
            self.save()
        self.model.stop_training = self.is_over

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        if self.patience is None or self.best_epoch == len(self.history):
            return
        try:
            _, arrays = self._best or _read(self._file(self.best_epoch, 0))
        except _UNREADABLE as error:
            progress.tell(f"the checkpoint of epoch {self.best_epoch}, the best, cannot be read: {error}")
            return
        for variable, array in zip(_variables(self.model), arrays, strict=True):
            variable.assign(array)
        self.model.optimizer.finalize_variable_values(self.model.trainable_variables)  # as Keras has just done

    def save(self) -> None:
        """Writes the state as it is now, and removes what is no longer needed."""
        with self._ration:
            if not self._writes:
                return
            self.folder.mkdir(parents=True, exist_ok=True)
            best = set()
            if self.patience is not None and len(self.history) > self.phase:
                best = {self._file(self.best_epoch, 0)}
                if self._best and not best & set(self._files()):
                    self._write(*self._best)
            self._write(*self._now())
            for old in {*self.folder.glob("*.part"), *self._files()[:-2]} - best:
                old.unlink()
            checkpoint_copies.keep(self.folder)

    def _now(self) -> tuple[State, list[np.ndarray]]:
        variables = _variables(up_to_date(self.model))
        state = {
            "history": list(self.history),
            "steps_done": self.steps_done,
            "means": {name: float(value) for name, value in self.means.items()},
            "phase": self.phase,
            "variables": [[variable.path, list(variable.shape)] for variable in variables],
        }
        return state, [keras.ops.convert_to_numpy(variable) for variable in variables]

    def _write(self, state: State, arrays: Sequence[np.ndarray]) -> None:
        place = self._file(len(state["history"]), state["steps_done"])
        part = place.with_suffix(".part")
        with part.open("wb") as file:
            text = np.frombuffer(json.dumps(state).encode(), np.uint8)
            np.savez(file, *arrays, **{_STATE: text})
            file.flush()
            os.fsync(file.fileno())
        part.replace(place)

    def discard(self) -> None:
        """Removes the checkpoints, once the model they led to is kept elsewhere."""
        shutil.rmtree(self.folder)

    def _file(self, epochs_done: int, steps_done: int) -> Path:
        return self.folder / f"epoch-{epochs_done:04d}-step-{steps_done:06d}.npz"

    def _files(self) -> list[Path]:
        """The oldest first."""
        return sorted(self.folder.glob("epoch-*.npz"))


def up_to_date(model: keras.Model) -> keras.Model:
    """The model whose variables are those of the step just done; JAX keeps them elsewhere within an epoch."""
    if keras.backend.backend() == "jax":
        model.jax_state_sync()
    return model


def _variables(model: keras.Model) -> list[keras.Variable]:
    """All state of the model, random seeds included, and of its optimizer, averages and slow weights included."""
    return [*model.variables, *model.optimizer.variables]


def _read(file: Path) -> tuple[State, list[np.ndarray]]:
    """The state, and every array in its order, each checked against its checksum."""
    with file.open("rb") as opened, np.load(opened, allow_pickle=False) as content:
        state = json.loads(content[_STATE].tobytes())
        return state, [content[name] for name in content.files if name != _STATE]


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
