"""ClusterJob: submits a training job, follows it until it ends, and deletes it when the component is stopped.

It polls the API server every few seconds instead of watching a stream, because polling survives lost connections.

The job's name depends only on the task, so a retried component finds the job of an earlier attempt. If that job
succeeded, nothing is left to do. Otherwise a new job continues from the last checkpoint, because the cluster deletes a
job together with the pod that created it.
"""

import signal
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from efficientmixnet.kubeflow.training_jobs.component_pod import component_pod
from efficientmixnet.kubeflow.training_jobs.job_kind import JobKind
from efficientmixnet.kubeflow.training_jobs.kubernetes_api import KubernetesApi
from efficientmixnet.kubeflow.training_jobs.settings import JobSettings
from efficientmixnet.kubeflow.training_jobs.workers import Workers
from efficientmixnet.modules import progress
from efficientmixnet.modules.exceptions import BadInput, RequestRefused, ServerUnavailable, TrainingFailed

_TASK = "efficientmixnet/task"


@dataclass
class ClusterJob:
    """One training job.

    Args:
        api: The client of the API server.
        kind: The kind of training job.
        settings: The number of workers, their pods and the limits.
        identity: The task's identity, with which the job's name ends.
        command: The command of each worker.
        pause: Seconds between two requests for the job's state.
    """

    api: KubernetesApi
    kind: JobKind
    settings: JobSettings
    identity: str
    command: list[str]
    pause: float = 3.0
    name: str = field(init=False, default="")

    def run(self) -> None:
        """Runs the job, and returns when the training has succeeded.

        Raises:
            TrainingFailed: The training failed, or its workers did not start in time.
            BadInput: The cluster refuses the job.
        """
        try:
            self._submit()
            self._follow()
        except (KeyboardInterrupt, SystemExit):
            self._cancel()
            raise
        except RequestRefused as error:
            raise BadInput(self._why_refused(error)) from None
        except ServerUnavailable as error:
            raise TrainingFailed(f"{self.kind.resource.kind} {self.name}: {error}") from None

    def _submit(self) -> None:
        """Creates the job or finds the job of an earlier attempt. Skips names of other jobs."""
        names = self._names()
        while True:
            self.name = next(names)
            if self._create() or self._reuse():
                return

    def _names(self) -> Iterator[str]:
        """Yields names to try, the best one first."""
        number = 1
        while True:
            end = f"-{self.identity}" + (f"-{number}" if number > 1 else "")
            longest = self.kind.longest_name(self.settings.workers) - len(end)
            yield self.settings.pipeline[:longest].rstrip("-") + end
            number += 1

    def _create(self) -> bool:
        manifest = self.kind.manifest(self.name, self.settings, self.command)
        manifest["metadata"] |= {"annotations": {_TASK: self.identity}, **_owner()}
        try:
            self.api.create(self.kind.resource, manifest)
        except RequestRefused as error:
            if error.status == 409:
                return False
            raise
        progress.tell(f"{self.kind.resource.kind} {self.name}: {self.settings.workers} workers")
        return True

    def _reuse(self) -> bool:
        """Follows or replaces the job of this name. Returns False if it is another task's job."""
        resource = self.kind.resource
        job = self.api.get(resource, self.name)
        if job is None:
            return self._create()
        if not self._is_mine(job):
            return False
        if job["metadata"].get("deletionTimestamp") is None and self._is_usable(job):
            progress.tell(f"{resource.kind} {self.name}: found the job of an earlier attempt")
            return True
        self.api.delete(resource, self.name)
        while self.api.get(resource, self.name) or self.api.pods(self.kind.selector(self.name)):
            time.sleep(self.pause)
        return self._create()

    def _is_usable(self, job: Mapping[str, Any]) -> bool:
        """Whether the job has succeeded, or is under way and belongs to this pod."""
        phase, _ = self.kind.phase(job)
        same_owner = job["metadata"].get("ownerReferences", []) == _owner().get("ownerReferences", [])
        return phase == "succeeded" or (phase != "failed" and same_owner)

    def _follow(self) -> None:
        kind = self.kind.resource.kind
        workers = Workers(self.api, self.kind, self.settings, f"{kind} {self.name}")
        while True:
            job = self.api.get(self.kind.resource, self.name)
            if job is None:
                raise TrainingFailed(f"{kind} {self.name}: somebody deleted the job")
            workers.update(self.api.pods(self.kind.selector(self.name)))
            phase, message = self.kind.phase(job)
            if phase == "succeeded":
                return
            if phase == "failed":
                raise TrainingFailed(workers.why_failed(message))
            try:
                workers.check_limits(suspended=phase == "suspended", unseen=not job.get("status"))
            except TrainingFailed:
                self._cancel()
                raise
            time.sleep(self.pause)

    def _cancel(self) -> None:
        """Deletes the job. A second SIGTERM does not interrupt this."""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        job = self.api.get(self.kind.resource, self.name) if self.name else None
        if job and self._is_mine(job):
            self.api.delete(self.kind.resource, self.name)
            progress.tell(f"{self.kind.resource.kind} {self.name}: deleted")

    def _is_mine(self, job: Mapping[str, Any]) -> bool:
        return job["metadata"].get("annotations", {}).get(_TASK) == self.identity

    def _why_refused(self, error: RequestRefused) -> str:
        resource = self.kind.resource
        overlay = f"kubeflow/manifests/overlays/{resource.overlay}"
        match error.status:
            case 401 | 403:
                return (
                    f"kubeflow.service_account: has no right to run a {resource.kind}; grant it with `kubectl apply -k "
                    f"{overlay}` ({error})"
                )
            case 404:
                return (
                    f"kubeflow.trainer.job_kind: the cluster has no {resource.kind}; install {resource.operator} "
                    f"({error})"
                )
            case _:
                return f"kubeflow.trainer: the cluster refuses the {resource.kind}: {error}"


def _owner() -> dict[str, Any]:
    """Returns the metadata that makes this pod the job's owner, so that the cluster deletes the job with the pod."""
    pod = component_pod()
    if pod is None:
        return {}
    return {"ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": pod.name, "uid": pod.uid}]}
