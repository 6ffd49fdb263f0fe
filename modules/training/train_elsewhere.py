"""train_elsewhere: trains in another process, with the Keras backend of the configuration.

Keras chooses its backend at import, and only the end of a process frees all memory of a training. The other process
runs this file. It reads the job from standard input, and writes messages to standard output, each a line of JSON. This
process copies the checkpoints of the other one, because only this one knows the store.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from efficientmixnet.modules import progress
from efficientmixnet.modules.checkpoint import checkpoint_copies
from efficientmixnet.modules.exceptions import BadInput, OutOfMemory
from efficientmixnet.modules.failures.out_of_memory import ended_out_of_memory, is_out_of_memory
from efficientmixnet.modules.failures.unexpected import one_line
from efficientmixnet.modules.training.caught_signals import CaughtSignals

if TYPE_CHECKING:
    from efficientmixnet.modules.training.training_job import TrainingJob

_BAD_INPUT = 2  # exit code
# The names of the messages.
_PROGRESS = ("start", "advance", "tell")
_RESULTS = ("logs", "bad_input", "out_of_memory", "failed")
_COPIES = {"fetch": checkpoint_copies.fetch, "keep": checkpoint_copies.keep}


def train_elsewhere(
    job: "TrainingJob",
    environment: Mapping[str, str] | None = None,
    weights: str | None = None,
    listener: progress.Listener | None = None,
    started: Callable[[subprocess.Popen], None] = lambda process: None,
) -> dict[str, float]:
    """Trains in another process, and waits for it.

    On SIGTERM or Ctrl-C the other process saves a checkpoint and ends, and then this process does. In a thread, which
    gets no signals, the caller can terminate the process that `started` receives.

    Args:
        job: The training.
        environment: Additional environment variables for the other process.
        weights: The file for the trained weights; None: they are not written.
        listener: Gets the progress; None: the listener of this process.
        started: Called with the other process once it has started.

    Returns:
        The logs of the epoch whose weights the model has at the end.

    Raises:
        BadInput: The other process raised it.
        OutOfMemory: The other process lacked memory.
        SystemExit: The other process ended with an exit code that asks for a retry.
        RuntimeError: The other process failed or was killed.
    """
    backend = job.config.training.backend
    command = [sys.executable, "-m", "efficientmixnet.modules.training.train_elsewhere"]
    process = subprocess.Popen(  # noqa: S603
        [*command, *([weights] if weights else [])],
        env={**os.environ, "KERAS_BACKEND": backend, **(environment or {})},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C in a terminal reaches only this process, which forwards it once
    )
    assert process.stdout
    started(process)
    result: dict[str, Any] = {}
    shown: Any = listener or progress
    with process, CaughtSignals(process.terminate) as signals:
        try:
            _send(process, job.model_dump_json())
            for line in process.stdout:
                name, *arguments = json.loads(line)
                if name in _PROGRESS:
                    getattr(shown, name)(*arguments)
                elif name in _COPIES:
                    _send(process, json.dumps(_refusal(_COPIES[name], arguments[0])))
                elif name in _RESULTS:
                    result[name] = arguments[0]
                else:
                    raise ValueError(f"unknown message {name!r}")
        except BaseException:
            process.terminate()
            raise
        code = process.wait()
    signals.deliver()
    if code == _BAD_INPUT and "bad_input" in result:
        raise BadInput(result["bad_input"])
    if "out_of_memory" in result:
        raise OutOfMemory(result["out_of_memory"])
    if code == -signal.SIGABRT and _has_other_workers(job, {**os.environ, **(environment or {})}):
        shown.tell("another worker ended; when restarted, all workers resume from the last checkpoint")
        raise SystemExit(128 + signal.SIGHUP)
    if code < 0 and ended_out_of_memory(-code):
        raise OutOfMemory(
            f"out of memory in training: signal {-code} ended its process, probably for lack of memory; lower "
            "training.batch_size, set training.cache: never, or give the process more memory"
        )
    if code >= 128:
        raise SystemExit(code)
    if code:
        ended = f"ended with code {code}" if code > 0 else f"was killed by signal {-code}"
        raise RuntimeError(f"the training process {ended}" + (f": {result['failed']}" if "failed" in result else ""))
    return dict(result["logs"])


def _has_other_workers(job: "TrainingJob", environment: Mapping[str, str]) -> bool:
    """Whether the training has several JAX processes. JAX aborts a process that has lost the others."""
    from efficientmixnet.modules.distribution.jax_cluster import VARIABLES

    several = any(environment.get(name) for name in (*VARIABLES, "TF_CONFIG"))
    return job.config.training.backend == "jax" and several


def _send(process: subprocess.Popen, line: str) -> None:
    """Writes a line to the process. If the process has ended, its exit code says why."""
    assert process.stdin
    with contextlib.suppress(BrokenPipeError), open(process.stdin.fileno(), "w", closefd=False) as out:
        out.write(line + "\n")


def _refusal(copy: Callable[[Path], None], folder: str) -> str | None:
    """Copies the folder. Returns the message if the store refuses it."""
    try:
        copy(Path(folder))
    except BadInput as error:
        return str(error)
    return None


class ParentStore:
    """The store of checkpoints in the other process. It lets the parent process make each copy, and waits for it."""

    def __init__(self, send: Callable[[str, str], None], answers: IO[str]) -> None:
        self._send, self._answers = send, answers

    def fetch(self, folder: Path) -> None:
        self._wait("fetch", folder)

    def keep(self, folder: Path) -> None:
        self._wait("keep", folder)

    def _wait(self, name: str, folder: Path) -> None:
        self._send(name, str(folder))
        answer = self._answers.readline()
        if not answer:
            raise RuntimeError("the process that started this training has ended")
        if refusal := json.loads(answer):
            raise BadInput(refusal)


class _Messages:
    """A listener that writes all progress as messages, from any thread."""

    def __init__(self, out: IO[str]) -> None:
        self._out, self._lock = out, threading.Lock()

    def write(self, *message: Any) -> None:
        with self._lock:
            self._out.write(json.dumps(message) + "\n")
            self._out.flush()

    def start(self, total: int, unit: str) -> None:
        self.write("start", total, unit)

    def advance(self, count: int, figures: progress.Figures) -> None:
        self.write("advance", count, dict(figures))

    def tell(self, line: str) -> None:
        self.write("tell", line)


def _main(weights: str | None = None) -> int:
    with os.fdopen(os.dup(1), "w") as out:
        os.dup2(2, 1)  # the output of libraries goes to standard error
        messages = _Messages(out)
        progress.listen(messages)
        checkpoint_copies.use_store(ParentStore(messages.write, sys.stdin))
        from efficientmixnet.modules.training.training_job import TrainingJob, train, write_weights

        try:
            trained = train(TrainingJob.model_validate_json(sys.stdin.readline()))
        except BadInput as error:
            messages.write("bad_input", str(error))
            return _BAD_INPUT
        except Exception as error:
            if is_out_of_memory(error):
                messages.write("out_of_memory", str(error))
            messages.write("failed", one_line(error))
            raise
        if weights and trained.distribution.is_chief:
            write_weights(weights, trained.model)
        messages.write("logs", trained.logs)
    return 0


def _end(code: int) -> None:
    """Ends the process, after a failure without JAX's wait for the other workers."""
    if code == 0:
        sys.exit()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    try:
        code = _main(*sys.argv[1:])
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
        code = 1
    _end(code)
