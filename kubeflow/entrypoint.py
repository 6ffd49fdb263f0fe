"""The program of a task: `python -m efficientmixnet.kubeflow.entrypoint`, with the arguments of TFX's entry point.

It runs the component's executor (executor.py), one of the cluster's own tasks (tasks/task.py), or, for Trainer with a
job_kind, a training job (training_jobs/launch.py), and writes the report for the launcher.
"""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from efficientmixnet.kubeflow.executor import invocation_of, parser
from efficientmixnet.kubeflow.launcher_paths import to_path
from efficientmixnet.kubeflow.pod_errors import one_line_in_a_pod
from efficientmixnet.kubeflow.retries_in_pod import command_of, retries_here, run_with_retries
from efficientmixnet.kubeflow.stages import execute_stages
from efficientmixnet.kubeflow.tasks.task import run_task
from efficientmixnet.kubeflow.training_jobs.settings import JobSettings
from efficientmixnet.modules.exceptions import EfficientMixNetError
from efficientmixnet.modules.files.whole_file import write_text
from efficientmixnet.modules.keras_settings import use_tensorflow
from efficientmixnet.pipeline.local.quiet import noise_to
from efficientmixnet.pipeline.stop_signals import StopSignals

LOG = "log"  # the output artifact with what libraries print
_LOGS = "executor-logs"  # which the launcher writes
_LAST_LINES = 40
_MODULE = "efficientmixnet.kubeflow.entrypoint"


def main(arguments: Sequence[str]) -> None:
    """Runs one task, and again if the cluster does not retry it. Errors end the process with one line and an exit code.

    Args:
        arguments: The arguments of the command.
    """
    if retries_here():
        options, _ = parser().parse_known_args(arguments)
        if settings := json.loads(options.retries):
            sys.exit(run_with_retries(command_of(_MODULE, arguments), **settings, outputs=_outputs(arguments)))
    use_tensorflow()
    with one_line_in_a_pod(), StopSignals():  # the first process of a container ignores SIGTERM by default
        _run(arguments)


def _outputs(arguments: Sequence[str]) -> list[str]:
    listed = invocation_of(arguments)["outputs"].get("artifacts", {})
    return [to_path(one["uri"]) for name, outputs in listed.items() if name != _LOGS for one in outputs["artifacts"]]


def _run(arguments: Sequence[str]) -> None:
    from efficientmixnet.kubeflow import progress_lines
    from efficientmixnet.kubeflow.store import object_store

    invocation = invocation_of(arguments)
    object_store.remember_session(invocation)
    with _quiet(invocation) as out:
        progress_lines.show(out)
        report = _report(arguments, invocation)
    file = Path(to_path(invocation["outputs"]["outputFile"]))
    file.parent.mkdir(parents=True, exist_ok=True)
    write_text(file, json.dumps(report))


@contextmanager
def _quiet(invocation: dict[str, Any]) -> Iterator[TextIO]:
    """Yields the stream for progress. What libraries print goes to the output `log`, if the task has it."""
    listed = invocation["outputs"].get("artifacts", {}).get(LOG)
    if not listed:
        yield sys.stdout
        return
    log = Path(to_path(listed["artifacts"][0]["uri"]))
    log.parent.mkdir(parents=True, exist_ok=True)
    try:
        with noise_to(log, also_show=False) as out:
            yield out
    except Exception as error:
        if not isinstance(error, EfficientMixNetError):  # The log may explain it, and is lost with the pod.
            print("\n".join(log.read_text(errors="replace").splitlines()[-_LAST_LINES:]), file=sys.stderr)
        raise


def _report(arguments: Sequence[str], invocation: dict[str, Any]) -> dict[str, Any]:
    options, _ = parser().parse_known_args(arguments)
    if options.task:
        return run_task(options.task, invocation, json.loads(options.output_artifacts))
    job = JobSettings.from_environment()
    if job is None:
        return execute_stages(arguments, invocation)
    from efficientmixnet.kubeflow.training_jobs.launch import launch

    return launch(job, arguments, invocation)


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # Libraries parse sys.argv too.
    given, sys.argv[1:] = sys.argv[1:], []
    main(given)
