"""TrainJob: workers by Kubeflow Trainer 2, from the TrainingRuntime `efficientmixnet` of kubeflow/manifests.

It has no words for TensorFlow: workers learn from their command who the others are, and from the Job's completion
index which of them they are.
"""

from collections.abc import Mapping
from typing import Any

from efficientmixnet.kubeflow.training_jobs.job_kind import Phase, Resource
from efficientmixnet.kubeflow.training_jobs.settings import JobSettings

_RUNTIME = "efficientmixnet"
_NODE = "node"  # the runtime's replicated job, and its container
_PORT = 2222
_DNS_LABEL = 63
_RANDOM = "-abcde"  # what a Job puts behind its pods' names


class TrainJob:
    """`trainer.kubeflow.org/v1alpha1`, as of Kubeflow Trainer 2.2.

    A worker that a signal ended is started again; one that ends otherwise has failed, and the job with it. Both are
    said in the runtime.
    """

    resource = Resource("trainer.kubeflow.org", "v1alpha1", "TrainJob", "trainjobs", "Kubeflow Trainer 2")
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
        conditions = job.get("status", {}).get("conditions") or []
        holds = {one["type"]: one.get("message", "") for one in conditions if one["status"] == "True"}
        if "Failed" in holds:
            return "failed", holds["Failed"]
        if "Complete" in holds:
            return "succeeded", holds["Complete"]
        if "Suspended" in holds:
            return "suspended", holds["Suspended"]
        return "under way", ""

    def selector(self, name: str) -> str:
        return f"jobset.sigs.k8s.io/jobset-name={name},jobset.sigs.k8s.io/replicatedjob-name={_NODE}"

    def worker(self, labels: Mapping[str, str]) -> int:
        return int(labels["batch.kubernetes.io/job-completion-index"])

    def longest_name(self, workers: int) -> int:
        return _DNS_LABEL - len(f"-{_NODE}-0-{workers - 1}{_RANDOM}")
