"""The program of a task: `python -m efficientmixnet.kubeflow.entrypoint`, with the arguments of TFX's entry point.

It runs the component's executor (executor.py), or, for Trainer with a job_kind, a training job
(training_jobs/launch.py), and writes the report for the launcher.
"""

import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from efficientmixnet.kubeflow.executor import execute, invocation_of, refuse
from efficientmixnet.kubeflow.launcher_paths import to_path
from efficientmixnet.modules.exceptions import BadInput, OutOfMemory, TrainingFailed
from efficientmixnet.modules.keras_settings import use_tensorflow
from efficientmixnet.modules.out_of_memory import is_out_of_memory
from efficientmixnet.modules.printable import printable
from efficientmixnet.pipeline.stop_signals import StopSignals

_EXIT_TERMINATED = 128 + signal.SIGTERM  # operators restart the pod


def main(arguments: Sequence[str]) -> None:
    """Runs one task. Errors end the process with one line and an exit code.

    Args:
        arguments: The arguments of the command.
    """
    use_tensorflow()
    try:
        with StopSignals():  # the first process of a container ignores SIGTERM by default
            _run(arguments)
    except KeyboardInterrupt:
        print("interrupted: the task starts again if it has retries, or in the next run", file=sys.stderr)
        sys.exit(_EXIT_TERMINATED)


def _run(arguments: Sequence[str]) -> None:
    from efficientmixnet.kubeflow import progress_lines
    from efficientmixnet.kubeflow.store import object_store
    from efficientmixnet.kubeflow.training_jobs.launch import launch
    from efficientmixnet.kubeflow.training_jobs.settings import JobSettings

    invocation = invocation_of(arguments)
    object_store.remember_session(invocation)
    progress_lines.show()
    try:
        job = JobSettings.from_environment()
        report = launch(job, arguments, invocation) if job else execute(arguments, invocation)
    except (BadInput, OutOfMemory) as error:
        sys.exit(refuse(error))
    except TrainingFailed as error:
        sys.exit(printable(f"error: {error}", keep="\n"))
    except Exception as error:
        if is_out_of_memory(error):
            sys.exit("error: out of memory; raise kubeflow.pod.memory, or kubeflow.trainer.memory for Trainer")
        raise
    file = Path(to_path(invocation["outputs"]["outputFile"]))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(report))


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # Libraries parse sys.argv too.
    given, sys.argv[1:] = sys.argv[1:], []
    main(given)
