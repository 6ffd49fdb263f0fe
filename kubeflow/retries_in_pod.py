"""run_with_retries: starts a failed task again in its own pod, where the cluster does not.

Since version 2.17, Kubeflow Pipelines ships a default retry strategy that Argo merges into the one of the task. Argo
then starts only lost pods again, not failed containers. Such a server sets KFP_RETRY_INDEX in each container: 0 in the
first pod. If the cluster does start another pod, there are no further retries in it.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from efficientmixnet.modules.exceptions import BadInput

INDEX_VARIABLE = "KFP_RETRY_INDEX"
_CHILD_VARIABLE = "EFFICIENTMIXNET_IN_POD_ATTEMPT"
_LONGEST_PAUSE = 300.0  # seconds
_KEPT = frozenset({0, BadInput.exit_code, 128 + signal.SIGTERM})  # success, the user's mistake, a stopped pod


def retries_here() -> bool:
    """Returns whether this process has to start the task again if it fails."""
    return os.environ.get(INDEX_VARIABLE) == "0" and _CHILD_VARIABLE not in os.environ


def run_with_retries(
    command: Sequence[str], count: int, pause: float, factor: float, outputs: Sequence[str] = ()
) -> int:
    """Runs a command until it succeeds, at most `count` times more.

    A command that ends because of the user's input, or because its pod is stopped, is not repeated.

    Args:
        command: The command.
        count: The number of retries.
        pause: Seconds before the first retry.
        factor: How much longer each pause is than the one before.
        outputs: The files and folders that the command writes. They are deleted before each retry, so that each
            attempt starts as in a new pod.

    Returns:
        The exit code of the last attempt. A process that was killed has 128 and the signal's number.
    """
    code = 1
    for attempt in range(count + 1):
        if attempt:
            print(f"the task ended with exit code {code}; retry {attempt} of {count} in {pause:g} s", flush=True)
            time.sleep(pause)
            for output in outputs:
                _delete(Path(output))
            pause = min(pause * factor, _LONGEST_PAUSE)
        code = _run(command, attempt)
        if code in _KEPT:
            break
    return code


def _run(command: Sequence[str], attempt: int) -> int:
    process = subprocess.Popen(command, env={**os.environ, _CHILD_VARIABLE: str(attempt)})  # noqa: S603

    def forward(number: int, _: FrameType | None) -> None:
        process.send_signal(number)

    before = {number: signal.signal(number, forward) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        code = process.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return code if code >= 0 else 128 - code


def _delete(output: Path) -> None:
    if output.is_dir():
        shutil.rmtree(output)
    else:
        output.unlink(missing_ok=True)


def command_of(module: str, arguments: Sequence[str]) -> list[str]:
    """Returns the command that runs a module in a process of its own."""
    return [sys.executable, "-m", module, *arguments]
