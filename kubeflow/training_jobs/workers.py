"""Workers: follows the worker pods of a training job, reports their changes, and enforces the limits on them."""

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

_UNSEEN = 30.0  # seconds after which a job without a status is reported
_RETRIED = 128  # an operator restarts workers with this exit code or a higher one
_LOST = 255  # the exit code given to a pod that was evicted or lost with its node


class Workers:
    """The workers of one job.

    Args:
        api: The client of the API server.
        kind: The kind of training job.
        settings: The number of workers and the limits.
        job: The job's name in messages.
    """

    def __init__(self, api: KubernetesApi, kind: JobKind, settings: JobSettings, job: str) -> None:
        self._kind, self._settings, self._job = kind, settings, job
        self._logs = WorkerLogs(api, kind.container, progress.tell)
        self._uids: dict[int, str] = {}  # each worker's latest pod
        self._codes: dict[str, int] = {}  # exit codes of ended pods, by uid
        self._reasons: dict[int, str] = {}  # why a worker has not started
        self._restarts: Counter[int] = Counter()  # by worker
        self._started = 0
        self._began = time.monotonic()
        self._waiting_since: float | None = self._began
        self._is_unseen = False

    def update(self, pods: list[dict[str, Any]]) -> None:
        """Reports what has changed.

        Args:
            pods: The job's pods, from the API server.
        """
        by_age = sorted(pods, key=lambda pod: str(pod["metadata"].get("creationTimestamp")))
        latest = {self._kind.worker(pod["metadata"]["labels"]): pod for pod in by_age}
        for worker, pod in sorted(latest.items()):
            name, uid = pod["metadata"]["name"], pod["metadata"]["uid"]
            if self._uids.get(worker, uid) != uid:
                self._restarts[worker] += 1
                progress.tell(f"worker {worker} restarts from the last checkpoint")
            self._uids[worker] = uid
            code = _exit_code(pod)
            if code is not None and uid not in self._codes:
                self._codes[uid] = code
                self._logs.end(worker, name, uid)
                if code:
                    progress.tell(f"worker {worker} ended with exit code {code}")
            elif code is None and pod["status"].get("phase") == "Running":
                self._logs.follow(worker, name, uid)
            self._report_reason(worker, _why_waiting(pod))
        self._started = sum(pod["status"].get("phase") in ("Running", "Succeeded") for pod in latest.values())

    def why_failed(self, message: str) -> str:
        """Returns the failed worker with its last lines, or the operator's message if no worker failed."""
        failed = [(worker, uid) for worker, uid in sorted(self._uids.items()) if self._codes.get(uid)]
        if not failed:
            return f"{self._job} failed: {message}"
        worker, uid = min(failed, key=lambda one: self._codes[one[1]] >= _RETRIED)
        return f"{self._job}: worker {worker} failed with exit code {self._codes[uid]}{self._last_lines(worker)}"

    def _last_lines(self, worker: int) -> str:
        lines = self._logs.last_lines(worker)
        return "\n  ".join(["; its last lines:", *lines]) if lines else ""

    def check_limits(self, suspended: bool, unseen: bool) -> None:
        """Checks the limits on restarts and on the time to start.

        Args:
            suspended: Whether a queue holds the job back.
            unseen: Whether the operator has not yet given the job a status.

        Raises:
            TrainingFailed: A limit is exceeded.
        """
        settings, now = self._settings, time.monotonic()
        for worker, restarts in self._restarts.items():
            if restarts > settings.restarts:
                raise TrainingFailed(
                    f"{self._job}: worker {worker} restarted {restarts} times, more often than "
                    f"kubeflow.trainer.restarts allows{self._last_lines(worker)}"
                )
        if unseen and not self._is_unseen and now - self._began > _UNSEEN:
            self._is_unseen = True
            progress.tell(
                f"{self._job}: no operator has seen the job; check that {self._kind.resource.operator} is running"
            )
        if suspended or self._started == settings.workers:
            self._waiting_since = None
            return
        self._waiting_since = self._waiting_since or now
        if now - self._waiting_since > 60 * settings.scheduling_minutes:
            reasons = [f"worker {worker}: {reason}" for worker, reason in sorted(self._reasons.items()) if reason]
            raise TrainingFailed(
                f"{self._job}: only {self._started} of {settings.workers} workers had started after "
                f"{settings.scheduling_minutes:g} minutes (kubeflow.trainer.scheduling_minutes); "
                + ("; ".join(reasons) or "no pods were created")
            )

    def _report_reason(self, worker: int, reason: str) -> None:
        if reason and reason != self._reasons.get(worker):
            progress.tell(f"worker {worker} cannot start: {reason}")
        self._reasons[worker] = reason


def _why_waiting(pod: Mapping[str, Any]) -> str:
    """Returns the scheduler's or the node's reason why a pod has not started, or an empty string."""
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
    """Returns the exit code of an ended pod, or None."""
    if pod["status"].get("phase") not in ("Failed", "Succeeded"):
        return None
    for container in pod["status"].get("containerStatuses") or []:
        if ended := container.get("state", {}).get("terminated"):
            return int(ended["exitCode"])
    return 0 if pod["status"]["phase"] == "Succeeded" else _LOST
