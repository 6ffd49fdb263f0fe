"""What a worker's container runs: `python -m efficientmixnet.kubeflow.training_jobs.worker --component ARGUMENTS`.

It does for the component's executor what the launcher of Kubeflow Pipelines does for a task: fetches the inputs, runs
it, and, if this is the first worker, delivers the outputs at the component's own URIs.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from typing import Any

from efficientmixnet.kubeflow import executor, progress_lines
from efficientmixnet.kubeflow.launcher_paths import ROOT_VARIABLE
from efficientmixnet.kubeflow.store import object_store
from efficientmixnet.kubeflow.training_jobs.attendance import Attendance
from efficientmixnet.kubeflow.training_jobs.stored_checkpoints import StoredCheckpoints
from efficientmixnet.kubeflow.training_jobs.task import Task
from efficientmixnet.modules.checkpoint import checkpoint_copies
from efficientmixnet.modules.distribution.cluster import Cluster
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.exported_model import SERVING_FOLDER


def main(arguments: Sequence[str]) -> None:
    """Trains as one of the workers that TF_CONFIG names."""
    signal.signal(signal.SIGTERM, _end)
    options = _parser().parse_args(arguments)
    if options.workers:
        _tell_tensorflow(options.workers.split(","))
    try:
        cluster = Cluster.from_environment()
        _work(options, is_first=cluster is None or cluster.index == 0)
    except BadInput as error:
        sys.exit(executor.refuse(error))


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
    """The invocation with the report in this folder; if this is not the first worker, whatever it might write too."""
    outputs = {**invocation["outputs"], "outputFile": f"{folder}/executor_output.json"}
    if all_of_them:
        outputs["artifacts"] = {
            name: {"artifacts": [{**artifact, "uri": f"{folder}/{name}"} for artifact in listed.get("artifacts", [])]}
            for name, listed in outputs["artifacts"].items()
        }
        # TFX takes a training without a model for a failed one.
        os.makedirs(f"{folder}/model/{SERVING_FOLDER}")
    return {**invocation, "outputs": outputs}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--component", required=True, metavar="JSON", help="the arguments of the component's command")
    parser.add_argument("--exchange", help="the folder through which component and workers pass data")
    parser.add_argument("--store-checkpoints", action="store_true", help="in the object store, beside the outputs")
    parser.add_argument("--component-pod", metavar="NAME", help="without which nobody waits for this training any more")
    parser.add_argument("--workers", help="the addresses of all workers, this one's among them")
    return parser


def _tell_tensorflow(workers: list[str]) -> None:
    """Which of them this one is says the index of a Job's pod, or what the Training Operator says of its own accord."""
    told = json.loads(os.environ.get("TF_CONFIG") or "{}").get("task", {})
    index = int(os.environ.get("JOB_COMPLETION_INDEX") or told.get("index", 0))
    os.environ["TF_CONFIG"] = json.dumps({"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}})


def _end(number: int, _: object) -> None:
    """A code that asks for another try, whatever the worker was doing."""
    sys.exit(128 + number)


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    main(sys.argv[1:])
