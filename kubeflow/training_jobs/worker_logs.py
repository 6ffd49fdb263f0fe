"""WorkerLogs: shows the first worker's log, and keeps the last lines of every worker."""

import threading
from collections import defaultdict, deque
from collections.abc import Callable

from efficientmixnet.kubeflow.training_jobs.kubernetes_api import KubernetesApi

_LAST_LINES = 40  # a traceback through TFX has about 25
_QUIET = 60.0  # seconds without a line after which the request is repeated
_PATIENCE = 10.0  # seconds for the last lines of a pod that has ended


class WorkerLogs:
    """Reads each running pod's log in a thread.

    It shows only the first worker's lines, because the other logs say almost the same.

    Args:
        api: The client of the API server.
        container: The name of the container in each pod.
        show: Called with each line of the first worker.
    """

    def __init__(self, api: KubernetesApi, container: str, show: Callable[[str], None]) -> None:
        self._api, self._container, self._show = api, container, show
        self._threads: dict[str, threading.Thread] = {}
        self._seen: dict[str, int] = defaultdict(int)  # lines
        self._last: dict[int, deque[str]] = {}

    def follow(self, worker: int, pod: str, uid: str) -> None:
        """Reads a running pod's log. Each call resumes a broken connection."""
        if uid not in self._threads or not self._threads[uid].is_alive():
            self._threads[uid] = threading.Thread(target=self._read, args=(worker, pod, uid), daemon=True)
            self._threads[uid].start()

    def end(self, worker: int, pod: str, uid: str) -> None:
        """Waits for the last lines of an ended pod."""
        if thread := self._threads.get(uid):
            thread.join(_PATIENCE)
        if thread is None or not thread.is_alive():
            self._read(worker, pod, uid)

    def last_lines(self, worker: int) -> list[str]:
        """Returns the last lines of the worker's latest pod with any output."""
        return list(self._last.get(worker, ()))

    def _read(self, worker: int, pod: str, uid: str) -> None:
        for number, line in enumerate(self._api.log(pod, self._container, _QUIET), start=1):
            if number <= self._seen[uid]:
                continue  # each request returns the log from its first line
            if number == 1:
                self._last[worker] = deque(maxlen=_LAST_LINES)
            self._seen[uid] = number
            self._last[worker].append(line)
            if worker == 0:
                self._show(line)
