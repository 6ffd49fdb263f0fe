"""train_elsewhere: a training in a process of its own, with the Keras backend that its configuration names.

Keras's backend is fixed when it is imported, and what a training took of memory is only given back for good when its
process ends. The other process is this file: it reads the job from its standard input, and writes its progress, a line
of JSON each, to its standard output. Copies of its checkpoints are kept from here, where it is known where they belong.
"""

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from efficientmixnet.modules import progress
from efficientmixnet.modules.checkpoint import checkpoint_copies
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.training.caught_signals import CaughtSignals

if TYPE_CHECKING:
    from efficientmixnet.modules.training.training_job import TrainingJob

_BAD_INPUT = 2  # exit code
_COPIES = {"fetch": checkpoint_copies.fetch, "keep": checkpoint_copies.keep}


def train_elsewhere(
    job: "TrainingJob",
    environment: Mapping[str, str] | None = None,
    weights: str | None = None,
    listener: progress.Listener | None = None,
    started: Callable[[subprocess.Popen], None] = lambda process: None,
) -> dict[str, float]:
    """The logs of the epoch whose weights are left; the weights themselves go to the file `weights`.

    SIGTERM and Ctrl-C reach the other process, which saves itself, before they have their effect here; in a thread,
    where Python hands out no signals, whoever gets the process by `started` may terminate it.

    Args:
        environment: Further variables for the other process.
        listener: Hears its progress; None: whoever shows this run.

    Raises:
        BadInput: the other process did.
        SystemExit: it ended with a code that asks for a retry.
        RuntimeError: it failed, or was killed.
    """
    backend = job.config.training.backend
    words = [sys.executable, "-m", "efficientmixnet.modules.training.train_elsewhere", *([weights] if weights else [])]
    process = subprocess.Popen(  # noqa: S603
        words,
        env={**os.environ, "KERAS_BACKEND": backend, **(environment or {})},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C in a terminal is for us to hand on, once
    )
    assert process.stdout
    started(process)
    result: dict[str, Any] = {}
    with process, CaughtSignals(process.terminate) as signals:
        try:
            _send(process, job.model_dump_json())
            for line in process.stdout:
                said, *rest = json.loads(line)
                if said in ("start", "advance", "tell"):
                    getattr(listener or progress, said)(*rest)
                elif said in _COPIES:
                    _send(process, json.dumps(_refusal(_COPIES[said], rest[0])))
                else:
                    result[said] = rest[0]
        except BaseException:
            process.terminate()
            raise
        code = process.wait()
    signals.take_effect()
    if code == _BAD_INPUT and "bad_input" in result:
        raise BadInput(result["bad_input"])
    if code >= 128:
        raise SystemExit(code)
    if code:
        ended = f"ended with code {code}" if code > 0 else f"was killed by signal {-code}"
        raise RuntimeError(f"the training's process {ended}" + (", as it is when memory is full" if code == -9 else ""))
    return dict(result["logs"])


def _send(process: subprocess.Popen, line: str) -> None:
    """A process that is no more says by its code why."""
    assert process.stdin
    with contextlib.suppress(BrokenPipeError), open(process.stdin.fileno(), "w", closefd=False) as out:
        out.write(line + "\n")


def _refusal(copy: Callable[[Path], None], folder: str) -> str | None:
    """What the keeper of checkpoints refuses."""
    try:
        copy(Path(folder))
    except BadInput as error:
        return str(error)
    return None


class ElsewhereKept:
    """The keeper of checkpoints in the other process: asks for every copy, and waits for it."""

    def __init__(self, ask: Callable[[str, str], None], answers: IO[str]) -> None:
        self._ask, self._answers = ask, answers

    def fetch(self, folder: Path) -> None:
        self._wait("fetch", folder)

    def keep(self, folder: Path) -> None:
        self._wait("keep", folder)

    def _wait(self, what: str, folder: Path) -> None:
        self._ask(what, str(folder))
        answer = self._answers.readline()
        if not answer:
            raise RuntimeError("the process that started this training is gone")
        if refusal := json.loads(answer):
            raise BadInput(refusal)


class _Lines:
    """A listener that writes what it hears, from any thread."""

    def __init__(self, out: IO[str]) -> None:
        self._out, self._lock = out, threading.Lock()

    def write(self, *said: Any) -> None:
        with self._lock:
            self._out.write(json.dumps(said) + "\n")
            self._out.flush()

    def start(self, total: int, unit: str) -> None:
        self.write("start", total, unit)

    def advance(self, count: int, figures: progress.Figures) -> None:
        self.write("advance", count, dict(figures))

    def tell(self, line: str) -> None:
        self.write("tell", line)


def _main(weights: str | None = None) -> int:
    with os.fdopen(os.dup(1), "w") as out:
        os.dup2(2, 1)  # the libraries' noise
        lines = _Lines(out)
        progress.listen(lines)
        checkpoint_copies.entrust(ElsewhereKept(lines.write, sys.stdin))
        from efficientmixnet.modules.training.training_job import TrainingJob, train, write_weights

        try:
            trained = train(TrainingJob.model_validate_json(sys.stdin.readline()))
        except BadInput as error:
            lines.write("bad_input", str(error))
            return _BAD_INPUT
        if weights:
            write_weights(weights, trained.model)
        lines.write("logs", trained.logs)
    return 0


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
