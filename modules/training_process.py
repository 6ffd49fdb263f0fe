"""train_elsewhere: a training in a process of its own, with the Keras backend that its configuration names.

Keras's backend is fixed when it is imported, and what a training took of memory is only given back for good when its
process ends. The other process is this file: it reads the job from its standard input, and writes its progress, a line
of JSON each, to its standard output.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import IO, TYPE_CHECKING, Any

from efficientmixnet.modules import progress
from efficientmixnet.modules.bad_input import BadInput
from efficientmixnet.modules.caught_signals import CaughtSignals

if TYPE_CHECKING:
    from efficientmixnet.modules.training_job import TrainingJob

_BAD_INPUT = 2  # exit code


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
    words = [sys.executable, "-m", "efficientmixnet.modules.training_process", *([weights] if weights else [])]
    process = subprocess.Popen(  # noqa: S603
        words,
        env={**os.environ, "KERAS_BACKEND": backend, **(environment or {})},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C in a terminal is for us to hand on, once
    )
    assert process.stdin
    assert process.stdout
    started(process)
    result: dict[str, Any] = {}
    with process, CaughtSignals(process.terminate) as signals:
        try:
            process.stdin.write(job.model_dump_json())
            process.stdin.close()
            for line in process.stdout:
                said, *rest = json.loads(line)
                if said in ("start", "advance", "tell"):
                    getattr(listener or progress, said)(*rest)
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


class _Lines:
    """A listener that writes what it hears."""

    def __init__(self, out: IO[str]) -> None:
        self._out = out

    def write(self, *said: Any) -> None:
        self._out.write(json.dumps(said) + "\n")
        self._out.flush()

    def start(self, total: int, unit: str) -> None:
        self.write("start", total, unit)

    def advance(self, count: int, figures: str) -> None:
        self.write("advance", count, figures)

    def tell(self, line: str) -> None:
        self.write("tell", line)


def _main(weights: str | None = None) -> int:
    with os.fdopen(os.dup(1), "w") as out:
        os.dup2(2, 1)  # the libraries' noise
        lines = _Lines(out)
        progress.listen(lines)
        from efficientmixnet.modules.training_job import TrainingJob, train, write_weights

        try:
            trained = train(TrainingJob.model_validate_json(sys.stdin.read()))
        except BadInput as error:
            lines.write("bad_input", str(error))
            return _BAD_INPUT
        if weights:
            write_weights(weights, trained.model)
        lines.write("logs", trained.logs)
    return 0


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
