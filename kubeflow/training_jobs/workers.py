"""Workers: what is known of a training job's workers, from look to look: told as it changes, and held to its limits."""

import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

from efficientmixnet.kubeflow.training_jobs.job_kind import JobKind
from efficientmixnet.kubeflow.training_jobs.kubernetes_api import KubernetesApi
from efficientmixnet.kubeflow.training_jobs.settings import JobSettings
from efficientmixnet.kubeflow.training_jobs.worker_logs import WorkerLogs
from efficientmixnet.modules import progress
from efficientmixnet.modules.exceptions import TrainingFailed

# Seconds after which it is said that an operator has not even looked at the job.
_UNSEEN = 30.0
_RETRIED = 128  # an operator starts a worker again that ends with so much or more
_LOST = 255  # what stands for the exit code of a pod that was evicted, or lost with its node


class Workers:
    """Those of one job; `job` is what messages call it."""

    def __init__(self, api: KubernetesApi, kind: JobKind, settings: JobSettings, job: str) -> None:
        self._kind, self._settings, self._job = kind, settings, job
        self._logs = WorkerLogs(api, kind.container, lambda line: print(line, flush=True))
        self._uids: dict[int, str] = {}  # of each worker's latest pod
        self._codes: dict[str, int] = {}  # by uid, of pods that have ended
        self._reasons: dict[int, str] = {}  # why a worker cannot start
        self._restarts: Counter[int] = Counter()  # by worker
        self._started = 0
        self._began = time.monotonic()
        self._waiting_since: float | None = self._began
        self._is_unseen = False

    def look_at(self, pods: list[dict[str, Any]]) -> None:
        """Tells what is new."""
        by_age = sorted(pods, key=lambda pod: str(pod["metadata"].get("creationTimestamp")))
        latest = {self._kind.worker(pod["metadata"]["labels"]): pod for pod in by_age}
        for worker, pod in sorted(latest.items()):
            name, uid = pod["metadata"]["name"], pod["metadata"]["uid"]
            if self._uids.get(worker, uid) != uid:
                self._restarts[worker] += 1
                progress.tell(f"worker {worker} is started again, and goes on from the last checkpoint")
            self._uids[worker] = uid
            code = _exit_code(pod)
            if code is not None and uid not in self._codes:
                self._codes[uid] = code
                self._logs.end(worker, name, uid)
                if code:
                    progress.tell(f"worker {worker} ended with {code}")
            elif code is None and pod["status"].get("phase") == "Running":
                self._logs.follow(worker, name, uid)
            self._tell(worker, _why_waiting(pod))
        self._started = sum(pod["status"].get("phase") in ("Running", "Succeeded") for pod in latest.values())

    def why_failed(self, message: str) -> str:
        """The last lines of the worker that failed, or else the operator's word."""
        failed = [(worker, uid) for worker, uid in sorted(self._uids.items()) if self._codes.get(uid)]
        if not failed:
            return f"{self._job} failed: {message}"
        worker, uid = min(failed, key=lambda one: self._codes[one[1]] >= _RETRIED)
        return f"{self._job}: worker {worker} failed with exit code {self._codes[uid]}{self._last_lines(worker)}"

    def _last_lines(self, worker: int) -> str:
        lines = self._logs.last_lines(worker)
        return "\n  ".join(["; its last lines:", *lines]) if lines else ""

    def check_patience(self, suspended: bool, unseen: bool) -> None:
        """Raises TrainingFailed where there is no use in waiting any longer."""
        settings, now = self._settings, time.monotonic()
        for worker, restarts in self._restarts.items():
            if restarts > settings.restarts:
                raise TrainingFailed(
                    f"{self._job}: worker {worker} was started again {restarts} times, more than "
                    f"kubeflow.trainer.restarts{self._last_lines(worker)}"
                )
        if unseen and not self._is_unseen and now - self._began > _UNSEEN:
            self._is_unseen = True
            progress.tell(f"{self._job} is left alone: does {self._kind.resource.comes_with} run?")
        if suspended or self._started == settings.workers:
            self._waiting_since = None
            return
        self._waiting_since = self._waiting_since or now
        if now - self._waiting_since > 60 * settings.scheduling_minutes:
            reasons = [f"worker {worker}: {reason}" for worker, reason in sorted(self._reasons.items()) if reason]
            raise TrainingFailed(
                f"{self._job}: only {self._started} of {settings.workers} workers had started after "
                f"{settings.scheduling_minutes:g} minutes (kubeflow.trainer.scheduling_minutes); "
                + ("; ".join(reasons) or "their pods were never made")
            )

    def _tell(self, worker: int, reason: str) -> None:
        if reason and reason != self._reasons.get(worker):
            progress.tell(f"worker {worker} cannot start: {reason}")
        self._reasons[worker] = reason


def _why_waiting(pod: Mapping[str, Any]) -> str:
    """Why a pod has not started, as the scheduler or the node says; empty where all goes well."""
    status = pod["status"]
    for condition in status.get("conditions") or []:
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return str(condition.get("message") or condition.get("reason") or "")
    for container in status.get("containerStatuses") or []:
        waiting = container.get("state", {}).get("waiting") or {}
        if waiting.get("reason") not in (None, "ContainerCreating", "PodInitializing"):
            return f"{waiting['reason']}: {waiting.get('message') or ''}".rstrip(": ")
    return ""


def _exit_code(pod: Mapping[str, Any]) -> int | None:
    """Of a pod that has ended; None while it has not."""
    if pod["status"].get("phase") not in ("Failed", "Succeeded"):
        return None
    for container in pod["status"].get("containerStatuses") or []:
        if ended := container.get("state", {}).get("terminated"):
            return int(ended["exitCode"])
    return 0 if pod["status"]["phase"] == "Succeeded" else _LOST
