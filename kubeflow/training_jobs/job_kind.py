"""JobKind: what in the cluster starts the workers of a training, seen as this project needs it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from efficientmixnet.kubeflow.training_jobs.settings import JobSettings

Phase = Literal["under way", "suspended", "succeeded", "failed"]
# Where a finished job stays to be looked at, with its pods and their logs.
KEPT_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Resource:
    """A kind of object that an operator brought into the cluster."""

    group: str
    version: str
    kind: str
    plural: str
    comes_with: str

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}"


class JobKind(Protocol):
    """An operator that runs training jobs."""

    resource: Resource
    container: str
    """The name of the container in which a worker runs."""

    def manifest(self, name: str, settings: JobSettings, command: list[str]) -> dict[str, Any]:
        """The job; each worker's container runs the command, with TF_CONFIG or what says the same."""

    def phase(self, job: Mapping[str, Any]) -> tuple[Phase, str]:
        """How far it is, and what the operator says of that."""

    def selector(self, name: str) -> str:
        """The labels of the job's pods."""

    def worker(self, labels: Mapping[str, str]) -> int:
        """Which worker the pod with these labels is."""

    def longest_name(self, workers: int) -> int:
        """Letters: with more, the names of what the operator makes of it would be refused."""
