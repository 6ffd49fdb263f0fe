"""ClusterJob: submits a job of many pods, follows it to its end, and takes it away when the component is cancelled.

It looks every few seconds rather than watch a stream: a job takes hours, and a server that is away for a while is
simply asked again. The job's name follows from the task: a component that was lost and tried again finds the job of
the try before. If that has succeeded, all is done; if not, a new one goes on from its last checkpoint, since a job
belongs to the pod that made it.
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
_MANIFESTS = {"TFJob": "training-operator", "TrainJob": "kubeflow-trainer"}


@dataclass
class ClusterJob:
    """One job in the cluster.

    Args:
        identity: The task's, with which the name ends.
        command: What each worker's container runs.
        pause: Seconds between two looks.
    """

    api: KubernetesApi
    kind: JobKind
    settings: JobSettings
    identity: str
    command: list[str]
    pause: float = 3.0
    name: str = field(init=False, default="")

    def run(self) -> None:
        """Returns when the training has succeeded.

        Raises:
            TrainingFailed: it has failed, or its workers found no node in time.
            BadInput: the cluster does not take the job.
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
        """Makes the job, or finds the one of an earlier try; a name that is taken by another one is passed over."""
        names = self._names()
        while True:
            self.name = next(names)
            if self._create() or self._take_up():
                return

    def _names(self) -> Iterator[str]:
        """The first that is free will do."""
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

    def _take_up(self) -> bool:
        """Whether the job of this name is this task's, and still of use."""
        resource = self.kind.resource
        job = self.api.get(resource, self.name)
        if job is None:
            return self._create()
        if not self._is_mine(job):
            return False
        if job["metadata"].get("deletionTimestamp") is None and self._is_of_use(job):
            progress.tell(f"{resource.kind} {self.name}: found from an earlier try")
            return True
        self.api.delete(resource, self.name)
        while self.api.get(resource, self.name) or self.api.pods(self.kind.selector(self.name)):
            time.sleep(self.pause)
        return self._create()

    def _is_of_use(self, job: Mapping[str, Any]) -> bool:
        """A job that has succeeded is; one that is under way is if it goes with this very pod, and not with another."""
        phase, _ = self.kind.phase(job)
        same_owner = job["metadata"].get("ownerReferences", []) == _owner().get("ownerReferences", [])
        return phase == "succeeded" or (phase != "failed" and same_owner)

    def _follow(self) -> None:
        kind = self.kind.resource.kind
        workers = Workers(self.api, self.kind, self.settings, f"{kind} {self.name}")
        while True:
            job = self.api.get(self.kind.resource, self.name)
            if job is None:
                raise TrainingFailed(f"{kind} {self.name} was deleted by somebody else")
            workers.look_at(self.api.pods(self.kind.selector(self.name)))
            phase, message = self.kind.phase(job)
            if phase == "succeeded":
                return
            if phase == "failed":
                raise TrainingFailed(workers.why_failed(message))
            try:
                workers.check_patience(suspended=phase == "suspended", unseen=not job.get("status"))
            except TrainingFailed:
                self._cancel()
                raise
            time.sleep(self.pause)

    def _cancel(self) -> None:
        """Leaves nothing of the job; being told again to end changes nothing."""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        job = self.api.get(self.kind.resource, self.name) if self.name else None
        if job and self._is_mine(job):
            self.api.delete(self.kind.resource, self.name)
            progress.tell(f"{self.kind.resource.kind} {self.name} is deleted")

    def _is_mine(self, job: Mapping[str, Any]) -> bool:
        return job["metadata"].get("annotations", {}).get(_TASK) == self.identity

    def _why_refused(self, error: RequestRefused) -> str:
        resource = self.kind.resource
        overlay = f"kubeflow/manifests/overlays/{_MANIFESTS[resource.kind]}"
        match error.status:
            case 401 | 403:
                return (
                    f"kubeflow.service_account: may not do what a {resource.kind} needs; `kubectl apply -k {overlay}` "
                    f"grants it ({error})"
                )
            case 404:
                return (
                    f"kubeflow.trainer.job_kind: the cluster knows no {resource.kind}; {resource.comes_with} brings "
                    f"it ({error})"
                )
            case _:
                return f"kubeflow.trainer: the cluster does not take the {resource.kind}: {error}"


def _owner() -> dict[str, Any]:
    """The component's own pod, so that with it the job goes, whatever happened to the component."""
    pod = component_pod()
    if pod is None:
        return {}
    return {"ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": pod.name, "uid": pod.uid}]}
