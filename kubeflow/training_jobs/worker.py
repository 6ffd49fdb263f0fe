"""The program of a worker: `python -m efficientmixnet.kubeflow.training_jobs.worker --component ARGUMENTS`.

It fetches the inputs and runs the component's executor. The first worker then copies the outputs to the component's
URIs.
"""

import argparse
import json
import logging
import os
import signal
import sys
import tempfile
import warnings
from collections.abc import Sequence
from typing import Any

from efficientmixnet.kubeflow import executor, progress_lines
from efficientmixnet.kubeflow.launcher_paths import ROOT_VARIABLE
from efficientmixnet.kubeflow.pod_errors import one_line_in_a_pod
from efficientmixnet.kubeflow.store import object_store
from efficientmixnet.kubeflow.training_jobs.attendance import Attendance
from efficientmixnet.kubeflow.training_jobs.stored_checkpoints import StoredCheckpoints
from efficientmixnet.kubeflow.training_jobs.task import Task
from efficientmixnet.modules.checkpoint import checkpoint_copies
from efficientmixnet.modules.distribution.cluster import Cluster
from efficientmixnet.modules.exported_model import SERVING_FOLDER
from efficientmixnet.modules.keras_settings import use_tensorflow


def main(arguments: Sequence[str]) -> None:
    """Trains as one of the workers in TF_CONFIG."""
    signal.signal(signal.SIGTERM, _end)
    use_tensorflow()
    options = _parser().parse_args(arguments)
    with one_line_in_a_pod():
        if options.workers:
            _set_tf_config(options.workers.split(","))
        cluster = Cluster.from_environment()
        _work(options, is_first=cluster is None or cluster.index == 0)


def _work(options: argparse.Namespace, is_first: bool) -> None:
    component = json.loads(options.component)
    invocation = executor.invocation_of(component)
    object_store.remember_session(invocation)
    task = Task(invocation, options.exchange)
    checkpoints = StoredCheckpoints(task.checkpoints)
    if task.root:
        os.environ[ROOT_VARIABLE] = task.root
    if options.store_checkpoints:
        checkpoint_copies.use_store(checkpoints)
    if options.component_pod and is_first:
        Attendance(options.component_pod).start()
    progress_lines.show()
    task.fetch()
    with tempfile.TemporaryDirectory() as folder:
        report = executor.execute(component, _with_outputs_in(folder, invocation, all_of_them=not is_first))
    if is_first:
        task.deliver(report)
        if options.store_checkpoints:
            checkpoints.forget()


def _with_outputs_in(folder: str, invocation: dict[str, Any], all_of_them: bool) -> dict[str, Any]:
    """Returns the invocation with its report, or with all outputs, in a local folder."""
    outputs = {**invocation["outputs"], "outputFile": f"{folder}/executor_output.json"}
    if all_of_them:
        outputs["artifacts"] = {
            name: {"artifacts": [{**artifact, "uri": f"{folder}/{name}"} for artifact in listed.get("artifacts", [])]}
            for name, listed in outputs["artifacts"].items()
        }
        # Without this folder TFX reports a failed training.
        os.makedirs(f"{folder}/model/{SERVING_FOLDER}")
    return {**invocation, "outputs": outputs}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--component", required=True, metavar="JSON", help="arguments of the component's command")
    parser.add_argument("--exchange", help="folder on a volume for inputs and outputs")
    parser.add_argument("--store-checkpoints", action="store_true", help="copy checkpoints to the object store")
    parser.add_argument(
        "--component-pod", metavar="NAME", help="pod of the component; the training stops if it is gone"
    )
    parser.add_argument("--workers", help="addresses of all workers, separated by commas")
    return parser


def _set_tf_config(workers: list[str]) -> None:
    """Sets TF_CONFIG. This worker's index comes from the Job, or from the Training Operator's own TF_CONFIG."""
    task = json.loads(os.environ.get("TF_CONFIG") or "{}").get("task", {})
    index = int(os.environ.get("JOB_COMPLETION_INDEX") or task.get("index", 0))
    os.environ["TF_CONFIG"] = json.dumps({"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}})


def _end(number: int, _: object) -> None:
    """Ends with an exit code after which the operator restarts the worker."""
    sys.exit(128 + number)


if __name__ == "__main__":
    # The log is for progress, warnings and errors.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    logging.disable(logging.INFO)
    warnings.simplefilter("ignore", FutureWarning)
    os.environ.setdefault("PYTHONWARNINGS", "ignore::FutureWarning")  # of the process that trains with JAX
    main(sys.argv[1:])
