"""WorkerLogs: shows what the first worker prints while it trains, and keeps every worker's last lines."""

import threading
from collections import defaultdict, deque
from collections.abc import Callable

from efficientmixnet.kubeflow.training_jobs.kubernetes_api import KubernetesApi

_LAST_LINES = 40  # a traceback through TFX has some 25
_QUIET = 60.0  # seconds without a line, after which the log is asked for again
_PATIENCE = 10.0  # seconds for the last lines of a pod that has ended


class WorkerLogs:
    """A thread for each pod while it runs.

    Of the workers only the first one's lines are shown: the others say much the same.
    """

    def __init__(self, api: KubernetesApi, container: str, show: Callable[[str], None]) -> None:
        self._api, self._container, self._show = api, container, show
        self._threads: dict[str, threading.Thread] = {}
        self._seen: dict[str, int] = defaultdict(int)  # lines
        self._last: dict[int, deque[str]] = {}

    def follow(self, worker: int, pod: str, uid: str) -> None:
        """The pod runs, so more lines will come. It is said at every look: what broke off is taken up again."""
        if uid not in self._threads or not self._threads[uid].is_alive():
            self._threads[uid] = threading.Thread(target=self._read, args=(worker, pod, uid), daemon=True)
            self._threads[uid].start()

    def end(self, worker: int, pod: str, uid: str) -> None:
        """The pod has ended: waits for its last lines."""
        if thread := self._threads.get(uid):
            thread.join(_PATIENCE)
        if thread is None or not thread.is_alive():
            self._read(worker, pod, uid)

    def last_lines(self, worker: int) -> list[str]:
        """Of the worker's latest pod that has printed anything."""
        return list(self._last.get(worker, ()))

    def _read(self, worker: int, pod: str, uid: str) -> None:
        for number, line in enumerate(self._api.log(pod, self._container, _QUIET), start=1):
            if number <= self._seen[uid]:
                continue  # a log begins at its first line each time
            if number == 1:
                self._last[worker] = deque(maxlen=_LAST_LINES)
            self._seen[uid] = number
            self._last[worker].append(line)
            if worker == 0:
                self._show(line)
