"""JobKind: what this project needs to know about a kind of training job. TFJob and TrainJob implement it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from efficientmixnet.kubeflow.training_jobs.settings import JobSettings

Phase = Literal["under way", "suspended", "succeeded", "failed"]
# How long the cluster keeps a finished job, with its pods and their logs.
KEPT_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Resource:
    """A resource of the Kubernetes API that an operator adds.

    Args:
        group: The API group.
        version: The version of the API.
        kind: The name in manifests.
        plural: The name in URLs.
        operator: The name of the operator, for messages.
        overlay: The folder in kubeflow/manifests/overlays that grants access to it.
    """

    group: str
    version: str
    kind: str
    plural: str
    operator: str
    overlay: str

    @property
    def api_version(self) -> str:
        """The apiVersion in manifests."""
        return f"{self.group}/{self.version}"


class JobKind(Protocol):
    """A kind of training job, which an operator runs."""

    resource: Resource
    container: str
    """The name of the container in a worker's pod."""

    def manifest(self, name: str, settings: JobSettings, command: list[str]) -> dict[str, Any]:
        """Returns the job's manifest. Each worker runs the command, with the addresses of all workers."""

    def phase(self, job: Mapping[str, Any]) -> tuple[Phase, str]:
        """Returns the job's phase, and the operator's message about it."""

    def selector(self, name: str) -> str:
        """Returns the label selector of the job's pods."""

    def worker(self, labels: Mapping[str, str]) -> int:
        """Returns the index of the worker whose pod has these labels."""

    def longest_name(self, workers: int) -> int:
        """Returns the length of the longest name with which Kubernetes accepts the job's pods and Services."""


def phase_of(job: Mapping[str, Any], phases: Mapping[str, Phase]) -> tuple[Phase, str]:
    """Returns a job's phase from its conditions.

    Args:
        job: The job, from the API server.
        phases: The phase for each condition. The first one that is true counts; without one the job is under way.
    """
    conditions = job.get("status", {}).get("conditions") or []
    messages = {one["type"]: one.get("message", "") for one in conditions if one["status"] == "True"}
    for condition, phase in phases.items():
        if condition in messages:
            return phase, messages[condition]
    return "under way", ""
