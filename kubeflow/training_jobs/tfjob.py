"""TFJob: workers by Kubeflow's Training Operator.

A worker whose pod is deleted, by a node's drain or by a pod that goes first, fails the whole job there; unless workers
are "dynamic". Then the operator starts another one in its place, but tells none about the others: the command does.
"""

from collections.abc import Mapping
from typing import Any

from efficientmixnet.kubeflow.training_jobs.job_kind import KEPT_SECONDS, Phase, Resource
from efficientmixnet.kubeflow.training_jobs.settings import JobSettings

_LABEL = "training.kubeflow.org"
_PORT = 2222  # the operator's own
_DNS_LABEL = 63


class TFJob:
    """`kubeflow.org/v1`, of all versions of the operator that know it.

    A worker that ends with 128 or more is started again, one that ends with less has failed, and the job with it.
    """

    resource = Resource("kubeflow.org", "v1", "TFJob", "tfjobs", "Kubeflow's Training Operator")
    container = "tensorflow"  # as the operator wants it

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
        conditions = job.get("status", {}).get("conditions") or []
        holds = {one["type"]: one.get("message", "") for one in conditions if one["status"] == "True"}
        if "Failed" in holds:
            return "failed", holds["Failed"]
        if "Succeeded" in holds:
            return "succeeded", holds["Succeeded"]
        if "Suspended" in holds:
            return "suspended", holds["Suspended"]
        return "under way", next(reversed(holds.values()), "")

    def selector(self, name: str) -> str:
        return f"{_LABEL}/job-name={name},{_LABEL}/replica-type=worker"

    def worker(self, labels: Mapping[str, str]) -> int:
        return int(labels[f"{_LABEL}/replica-index"])

    def longest_name(self, workers: int) -> int:
        return _DNS_LABEL - len(f"-worker-{workers - 1}")
