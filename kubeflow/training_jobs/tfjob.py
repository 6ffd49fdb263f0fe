"""TFJob: the training job of Kubeflow's Training Operator.

If a worker's pod is deleted, for example by preemption or because its node is drained, the operator fails the whole
job, unless workers are "dynamic". Then it starts a new pod, but does not give the workers the addresses of the others.
The command has them.
"""

from collections.abc import Mapping
from typing import Any

from efficientmixnet.kubeflow.training_jobs.job_kind import KEPT_SECONDS, Phase, Resource, phase_of
from efficientmixnet.kubeflow.training_jobs.settings import JobSettings

_LABEL = "training.kubeflow.org"
_PORT = 2222  # the operator's port
_DNS_LABEL = 63  # the longest name of a Service
_PHASES: Mapping[str, Phase] = {"Failed": "failed", "Succeeded": "succeeded", "Suspended": "suspended"}


class TFJob:
    """A TFJob of API version `kubeflow.org/v1`.

    The operator restarts a worker that ends with exit code 128 or more. A lower code fails the job.
    """

    resource = Resource("kubeflow.org", "v1", "TFJob", "tfjobs", "Kubeflow's Training Operator", "training-operator")
    container = "tensorflow"  # the operator needs this name

    def manifest(self, name: str, settings: JobSettings, command: list[str]) -> dict[str, Any]:
        (container,) = settings.pod["spec"]["containers"]
        addresses = ",".join(f"{name}-worker-{index}:{_PORT}" for index in range(settings.workers))
        worker = {**container, "name": self.container, "command": [*command, "--workers", addresses]}
        limit = {"activeDeadlineSeconds": settings.timeout_seconds} if settings.timeout_seconds else {}
        return {
            "apiVersion": self.resource.api_version,
            "kind": self.resource.kind,
            "metadata": {"name": name},
            "spec": {
                "enableDynamicWorker": True,
                "runPolicy": {"cleanPodPolicy": "Running", "ttlSecondsAfterFinished": KEPT_SECONDS, **limit},
                "tfReplicaSpecs": {
                    "Worker": {
                        "replicas": settings.workers,
                        "restartPolicy": "ExitCode",
                        "template": {**settings.pod, "spec": {**settings.pod["spec"], "containers": [worker]}},
                    }
                },
            },
        }

    def phase(self, job: Mapping[str, Any]) -> tuple[Phase, str]:
        return phase_of(job, _PHASES)

    def selector(self, name: str) -> str:
        return f"{_LABEL}/job-name={name},{_LABEL}/replica-type=worker"

    def worker(self, labels: Mapping[str, str]) -> int:
        return int(labels[f"{_LABEL}/replica-index"])

    def longest_name(self, workers: int) -> int:
        return _DNS_LABEL - len(f"-worker-{workers - 1}")
