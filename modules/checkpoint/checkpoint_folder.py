"""CheckpointFolder: writes checkpoints in a thread, and keeps the last two and the best one.

No file is ever incomplete. A damaged file fails its checksums, and the previous one is used.
"""

import json
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from efficientmixnet.modules import progress
from efficientmixnet.modules.checkpoint import checkpoint_copies
from efficientmixnet.modules.files.stored_file import DAMAGE, reason
from efficientmixnet.modules.files.whole_file import remove_leftovers, whole_file

_ABOUT = "state"
_KEYS = {"history": list, "steps_done": int, "means": dict, "phase": int, "variables": list}


@dataclass(frozen=True, eq=False)
class State:
    """The state of a training after some epochs and steps."""

    about: dict[str, Any]
    arrays: Sequence[np.ndarray]

    @property
    def file_name(self) -> str:
        return file_name(len(self.about["history"]), self.about["steps_done"])


def file_name(epochs_done: int, steps_done: int = 0) -> str:
    """Returns the name of a checkpoint."""
    return f"epoch-{epochs_done:04d}-step-{steps_done:06d}.npz"


class CheckpointFolder:
    """The checkpoints of one training.

    Every method except `write` first waits for the thread, and raises the thread's exception, if any.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, "checkpoints")
        self._writing: Future[None] | None = None

    def write_soon(self, *states: State, best_epoch: int | None = None) -> None:
        """Writes the states in a thread. The best epoch's file is kept."""
        self.wait()
        self._writing = self._thread.submit(self.write, *states, best_epoch=best_epoch)

    def wait(self) -> None:
        """Waits until every checkpoint is written."""
        writing, self._writing = self._writing, None
        if writing:
            writing.result()

    def write(self, *states: State, best_epoch: int | None = None) -> None:
        """Writes the states, and removes files that are no longer needed."""
        self._path.mkdir(parents=True, exist_ok=True)
        for state in states:
            self._write(state)
        remove_leftovers(self._path)
        for file in {*self._files()[:-2]} - {self._path / file_name(best_epoch or 0)}:
            file.unlink()
        checkpoint_copies.keep(self._path)

    def states(self) -> Iterator[tuple[Path, State]]:
        """Yields the checkpoints, newest first. An unreadable one is reported and skipped."""
        self.wait()
        checkpoint_copies.fetch(self._path)
        files = self._files()
        for file in reversed(files):
            try:
                yield file, _read(file)
            except DAMAGE as error:
                then = "the training starts again" if file == files[0] else "the previous one is used"
                progress.tell(f"{file}: the checkpoint cannot be read ({reason(error)}); {then}")

    def after(self, epochs_done: int) -> State | None:
        """Returns the state after this many epochs; None if it cannot be read, which is reported."""
        self.wait()
        try:
            return _read(self._path / file_name(epochs_done))
        except DAMAGE as error:
            progress.tell(f"the checkpoint of the best epoch, {epochs_done}, cannot be read: {reason(error)}")
            return None

    @property
    def last_file(self) -> Path | None:
        """The newest checkpoint, or None before the first one."""
        self.wait()
        return next(reversed(self._files()), None)

    def _files(self) -> list[Path]:
        """Returns the checkpoints, oldest first."""
        return sorted(self._path.glob("epoch-*.npz"), key=_numbers)

    def _write(self, state: State) -> None:
        with whole_file(self._path / state.file_name, "wb") as file:
            about: dict[str, Any] = {_ABOUT: np.frombuffer(json.dumps(state.about).encode(), np.uint8)}
            np.savez(file, *state.arrays, **about)


def _numbers(file: Path) -> list[int]:
    """Returns the numbers in a name. As text, epoch-10000 would come before epoch-9999."""
    return [int(number) for number in re.findall("[0-9]+", file.name)]


def _read(file: Path) -> State:
    """Reads a checkpoint. The zip format checks every array against its checksum."""
    with file.open("rb") as opened, np.load(opened, allow_pickle=False) as content:
        about = json.loads(content[_ABOUT].tobytes())
        _check_keys(about)
        return State(about, [_array(content, number, *one) for number, one in enumerate(about["variables"])])


def _check_keys(about: dict[str, Any]) -> None:
    for key, kind in _KEYS.items():
        if not isinstance(about[key], kind):
            raise ValueError(f"{key} is not a {kind.__name__}")


def _array(content: Any, number: int, name: str, shape: list[int]) -> np.ndarray:
    array = content[f"arr_{number}"]  # NumPy's name
    if list(array.shape) != shape:
        raise ValueError(f"{name} has the shape {list(array.shape)}, not {shape}")
    return array
