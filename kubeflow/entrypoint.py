"""What a task's container runs: TFX's entry point, with what it needs to know and the launcher does not say.

`python -m efficientmixnet.kubeflow.entrypoint` takes the arguments of TFX's own entry point. Around it: outputs that
the component does not declare, such as the launcher's `executor-logs`, are dropped; an input's empty type is filled in
from the component's specification; object stores' URIs become the launcher's paths and, in what is reported, URIs
again; metadata without a value, which the launcher cannot store, is left out.
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


def main(arguments: Sequence[str]) -> None:
    """Runs one component's executor, or the job of workers that the package has it run in."""
    signal.signal(signal.SIGTERM, _interrupt)  # a container's first process ignores it otherwise
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
    file.write_text(json.dumps(report))


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    main(sys.argv[1:])
