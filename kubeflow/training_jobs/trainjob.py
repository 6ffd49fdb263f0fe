"""TrainJob: the training job of Kubeflow Trainer 2, with the TrainingRuntime `efficientmixnet` of kubeflow/manifests.

Kubeflow Trainer has no support for TensorFlow. The workers' command has the addresses of all workers, and the Job's
completion index says which worker a pod is.
"""

from collections.abc import Mapping
from typing import Any

from efficientmixnet.kubeflow.training_jobs.job_kind import Phase, Resource, phase_of
from efficientmixnet.kubeflow.training_jobs.settings import JobSettings

_RUNTIME = "efficientmixnet"
_NODE = "node"  # the runtime's replicated job, and its container
_PORT = 2222
_DNS_LABEL = 63  # the longest name of a Service
_RANDOM = "-abcde"  # a Job appends a random suffix to the names of its pods
_PHASES: Mapping[str, Phase] = {"Failed": "failed", "Complete": "succeeded", "Suspended": "suspended"}


class TrainJob:
    """A TrainJob of API version `trainer.kubeflow.org/v1alpha1`, for Kubeflow Trainer 2.2 or newer.

    The runtime defines that a worker ended by a signal is restarted, and that any other failure fails the job.
    """

    resource = Resource(
        "trainer.kubeflow.org", "v1alpha1", "TrainJob", "trainjobs", "Kubeflow Trainer 2", "kubeflow-trainer"
    )
    container = _NODE

    def manifest(self, name: str, settings: JobSettings, command: list[str]) -> dict[str, Any]:
        pod = settings.pod["spec"]
        (container,) = pod["containers"]
        workers = [f"{name}-{_NODE}-0-{index}.{name}:{_PORT}" for index in range(settings.workers)]
        trainer = {
            "numNodes": settings.workers,
            "image": container["image"],
            "command": [*command, "--workers", ",".join(workers)],
            "env": container["env"],
            "resourcesPerNode": container.get("resources"),
        }
        patched = {
            **{key: pod[key] for key in ("serviceAccountName", "nodeSelector", "tolerations", "volumes") if key in pod},
            "containers": [{"name": _NODE, "volumeMounts": container["volumeMounts"]}],
        }
        job = {
            "name": _NODE,
            "template": {"spec": {"template": {"metadata": settings.pod["metadata"], "spec": patched}}},
        }
        patch = {
            "manager": "efficientmixnet.dev/trainer",
            "trainingRuntimeSpec": {"template": {"spec": {"replicatedJobs": [job]}}},
        }
        limit = {"activeDeadlineSeconds": settings.timeout_seconds} if settings.timeout_seconds else {}
        return {
            "apiVersion": self.resource.api_version,
            "kind": self.resource.kind,
            "metadata": {"name": name},
            "spec": {
                "runtimeRef": {"apiGroup": self.resource.group, "kind": "TrainingRuntime", "name": _RUNTIME},
                "trainer": {key: value for key, value in trainer.items() if value},
                "runtimePatches": [patch],
                **limit,
            },
        }

    def phase(self, job: Mapping[str, Any]) -> tuple[Phase, str]:
        return phase_of(job, _PHASES)

    def selector(self, name: str) -> str:
        return f"jobset.sigs.k8s.io/jobset-name={name},jobset.sigs.k8s.io/replicatedjob-name={_NODE}"

    def worker(self, labels: Mapping[str, str]) -> int:
        return int(labels["batch.kubernetes.io/job-completion-index"])

    def longest_name(self, workers: int) -> int:
        return _DNS_LABEL - len(f"-{_NODE}-0-{workers - 1}{_RANDOM}")
