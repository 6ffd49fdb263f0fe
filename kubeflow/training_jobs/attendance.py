"""Attendance: stops a training whose component no longer waits for it.

A component that is stopped deletes its job. But when a run is stopped, the launcher of Kubeflow Pipelines may end the
container before the job is deleted.
"""

import os
import threading
import time
from collections.abc import Callable

from efficientmixnet.kubeflow.training_jobs.kubernetes_api import KubernetesApi
from efficientmixnet.modules.exceptions import RequestRefused, ServerUnavailable

_PAUSE = 30.0  # seconds between two checks
_GRACE = 120.0  # seconds for which a pod may be missing


class Attendance:
    """Checks from a thread of the first worker that the component's pod is running.

    Args:
        pod: The name of the component's pod.
        end: Called when the pod has not been running for `grace` seconds. By default it ends this process.
        pause: Seconds between two checks.
        grace: Seconds for which the pod may be missing.
    """

    def __init__(
        self, pod: str, end: Callable[[], None] | None = None, pause: float = _PAUSE, grace: float = _GRACE
    ) -> None:
        self._pod, self._pause, self._grace = pod, pause, grace
        self._end = end or _end

    def start(self) -> None:
        """Starts the thread."""
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        api = KubernetesApi()
        gone_since = None
        while True:
            try:
                is_running = api.is_running(self._pod)
            except RequestRefused as error:
                print(f"cannot check that the component's pod is running: {error}", flush=True)
                return
            except ServerUnavailable:
                is_running = True
            gone_since = None if is_running else gone_since or time.monotonic()
            if gone_since is not None and time.monotonic() - gone_since >= self._grace:
                self._end()
                return
            time.sleep(self._pause)


def _end() -> None:
    """Ends this process at once, with an exit code after which no operator restarts the worker."""
    print("the component's pod is gone, so this training stops", flush=True)
    os._exit(1)
