"""CheckpointFolder: the states of a training as files, written while it goes on; the last two and the best are kept.

A file is written beside its place and then moved there, so it is whole or not there at all; one that the disk spoiled
fails its checksums, and the one before it counts.
"""

import json
import os
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from efficientmixnet.modules import progress
from efficientmixnet.modules.checkpoint import checkpoint_copies

_ABOUT = "state"
_UNREADABLE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)


@dataclass(frozen=True, eq=False)
class State:
    """Where a training is: so many epochs and, since then, steps."""

    about: dict[str, Any]
    arrays: Sequence[np.ndarray]

    @property
    def file_name(self) -> str:
        return file_name(len(self.about["history"]), self.about["steps_done"])


def file_name(epochs_done: int, steps_done: int = 0) -> str:
    """By which files sort as the training went."""
    return f"epoch-{epochs_done:04d}-step-{steps_done:06d}.npz"


class CheckpointFolder:
    """Every call but `write` waits for what is still being written, and raises what it raised."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, "checkpoints")
        self._writing: Future[None] | None = None

    def write_soon(self, *states: State, best_epoch: int | None = None) -> None:
        """Meanwhile the training goes on; the file of the best epoch stays, whatever comes after it."""
        self.wait()
        self._writing = self._thread.submit(self.write, *states, best_epoch=best_epoch)

    def wait(self) -> None:
        """Until all is written."""
        writing, self._writing = self._writing, None
        if writing:
            writing.result()

    def write(self, *states: State, best_epoch: int | None = None) -> None:
        """Removes what is no longer needed, too."""
        self._path.mkdir(parents=True, exist_ok=True)
        for state in states:
            self._write(state)
        old = {*self._path.glob("*.part"), *self._files()[:-2]}
        for file in old - {self._path / file_name(best_epoch or 0)}:
            file.unlink()
        checkpoint_copies.keep(self._path)

    def states(self) -> Iterator[tuple[Path, State]]:
        """The newest first; of one that cannot be read only that it cannot."""
        self.wait()
        checkpoint_copies.fetch(self._path)
        for file in reversed(self._files()):
            try:
                yield file, _read(file)
            except _UNREADABLE as error:
                progress.tell(f"checkpoint {file} cannot be read ({error}); the one before it is taken")

    def after(self, epochs_done: int) -> State | None:
        """The state after so many epochs; None if it cannot be read, which is told."""
        self.wait()
        try:
            return _read(self._path / file_name(epochs_done))
        except _UNREADABLE as error:
            progress.tell(f"the checkpoint of epoch {epochs_done}, the best, cannot be read: {error}")
            return None

    @property
    def last_file(self) -> Path | None:
        """The newest checkpoint, or None before the first one."""
        self.wait()
        return next(reversed(self._files()), None)

    def _files(self) -> list[Path]:
        """The oldest first."""
        return sorted(self._path.glob("epoch-*.npz"))

    def _write(self, state: State) -> None:
        place = self._path / state.file_name
        part = place.with_suffix(".part")
        with part.open("wb") as file:
            about: dict[str, Any] = {_ABOUT: np.frombuffer(json.dumps(state.about).encode(), np.uint8)}
            np.savez(file, *state.arrays, **about)
            file.flush()
            os.fsync(file.fileno())
        part.replace(place)


def _read(file: Path) -> State:
    """Every array in its order, each checked against its checksum."""
    with file.open("rb") as opened, np.load(opened, allow_pickle=False) as content:
        about = json.loads(content[_ABOUT].tobytes())
        return State(about, [content[name] for name in content.files if name != _ABOUT])
