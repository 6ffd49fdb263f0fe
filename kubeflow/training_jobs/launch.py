"""launch: runs the component Trainer as a training job. The workers train, and the component waits for them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from efficientmixnet.kubeflow.executor import parser
from efficientmixnet.kubeflow.fetched_inputs import fetch
from efficientmixnet.kubeflow.training_jobs.cluster_job import ClusterJob
from efficientmixnet.kubeflow.training_jobs.component_pod import component_pod
from efficientmixnet.kubeflow.training_jobs.job_kind import JobKind
from efficientmixnet.kubeflow.training_jobs.kubernetes_api import KubernetesApi
from efficientmixnet.kubeflow.training_jobs.settings import JobSettings, as_argument
from efficientmixnet.kubeflow.training_jobs.task import Task
from efficientmixnet.kubeflow.training_jobs.tfjob import TFJob
from efficientmixnet.kubeflow.training_jobs.trainjob import TrainJob
from efficientmixnet.modules.exceptions import BadInput

_WORKER = ("python", "-m", "efficientmixnet.kubeflow.training_jobs.worker")


def launch(settings: JobSettings, arguments: Sequence[str], invocation: Mapping[str, Any]) -> dict[str, Any]:
    """Trains in a job of the cluster.

    Args:
        settings: The workers and their limits.
        arguments: The arguments of the component's command. The workers get them too.
        invocation: The task's ExecutorInput.

    Returns:
        TFX's ExecutorOutput.

    Raises:
        TrainingFailed: The job failed. The message has the worker's last lines.
        BadInput: The cluster refuses the job.
    """
    task = Task(invocation, settings.exchange)
    task.hand_over()
    if task.root:  # Its workers cannot fetch from the object store.
        fetch(invocation, parser().parse_known_args(arguments)[0].fetched, task.root)
    command = [*_WORKER, "--component", as_argument(list(arguments))]
    if pod := component_pod():
        command += ["--component-pod", pod.name]
    if settings.exchange:
        command += ["--exchange", settings.exchange]
    if settings.stores_checkpoints:
        command.append("--store-checkpoints")
    ClusterJob(KubernetesApi(), job_kind(settings.kind), settings, task.identity, command).run()
    return task.take_back()


_JOB_KINDS: Mapping[str, Callable[[], JobKind]] = {"tfjob": TFJob, "trainjob": TrainJob}


def job_kind(name: str) -> JobKind:
    """Returns the kind of training job that the configuration names.

    Raises:
        BadInput: There is no such kind.
    """
    if name not in _JOB_KINDS:
        raise BadInput(f"kubeflow.trainer.job_kind: {name!r} is unknown; give one of {', '.join(_JOB_KINDS)}")
    return _JOB_KINDS[name]()
