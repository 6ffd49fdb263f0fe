"""The program of a task: `python -m efficientmixnet.kubeflow.entrypoint`, with the arguments of TFX's entry point.

It runs the component's executor (executor.py), or, for Trainer with a job_kind, a training job
(training_jobs/launch.py), and writes the report for the launcher.
"""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from efficientmixnet.kubeflow.executor import execute, invocation_of
from efficientmixnet.kubeflow.launcher_paths import to_path
from efficientmixnet.kubeflow.pod_errors import one_line_in_a_pod
from efficientmixnet.modules.keras_settings import use_tensorflow
from efficientmixnet.modules.whole_file import write_text
from efficientmixnet.pipeline.stop_signals import StopSignals


def main(arguments: Sequence[str]) -> None:
    """Runs one task. Errors end the process with one line and an exit code.

    Args:
        arguments: The arguments of the command.
    """
    use_tensorflow()
    with one_line_in_a_pod(), StopSignals():  # the first process of a container ignores SIGTERM by default
        _run(arguments)


def _run(arguments: Sequence[str]) -> None:
    from efficientmixnet.kubeflow import progress_lines
    from efficientmixnet.kubeflow.store import object_store
    from efficientmixnet.kubeflow.training_jobs.launch import launch
    from efficientmixnet.kubeflow.training_jobs.settings import JobSettings

    invocation = invocation_of(arguments)
    object_store.remember_session(invocation)
    progress_lines.show()
    job = JobSettings.from_environment()
    report = launch(job, arguments, invocation) if job else execute(arguments, invocation)
    file = Path(to_path(invocation["outputs"]["outputFile"]))
    file.parent.mkdir(parents=True, exist_ok=True)
    write_text(file, json.dumps(report))


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # Libraries parse sys.argv too.
    given, sys.argv[1:] = sys.argv[1:], []
    main(given)
