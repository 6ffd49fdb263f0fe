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
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.keras_settings import use_tensorflow
from efficientmixnet.modules.whole_file import write_text


def main(arguments: Sequence[str]) -> None:
    """Runs one task. Errors end the process with one line and an exit code.

    Args:
        arguments: The arguments of the command.
    """
    use_tensorflow()
    signal.signal(signal.SIGTERM, _interrupt)  # the first process of a container ignores SIGTERM by default
    from efficientmixnet.kubeflow import progress_lines
    from efficientmixnet.kubeflow.store import object_store
    from efficientmixnet.kubeflow.training_jobs.launch import launch
    from efficientmixnet.kubeflow.training_jobs.settings import JobSettings
    from efficientmixnet.modules.exceptions import TrainingFailed

    invocation = invocation_of(arguments)
    object_store.remember_session(invocation)
    progress_lines.show()
    try:
        job = JobSettings.from_environment()
        report = launch(job, arguments, invocation) if job else execute(arguments, invocation)
    except BadInput as error:
        sys.exit(refuse(error))
    except TrainingFailed as error:
        sys.exit(f"error: {error}")
    file = Path(to_path(invocation["outputs"]["outputFile"]))
    file.parent.mkdir(parents=True, exist_ok=True)
    write_text(file, json.dumps(report))


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # Libraries parse sys.argv too.
    given, sys.argv[1:] = sys.argv[1:], []
    main(given)
