"""Attendance: a training ends for which no component waits any more.

A component that is told to stop takes its job away; but when a run is stopped Kubeflow Pipelines' launcher, around it,
ends at once, and the container with it, perhaps before that is done.
"""

import os
import threading
import time
from collections.abc import Callable

from efficientmixnet.kubeflow.training_jobs.kubernetes_api import KubernetesApi
from efficientmixnet.modules.exceptions import RequestRefused, ServerUnavailable

_PAUSE = 30.0  # seconds between two looks
_GRACE = 120.0  # seconds in which a pod that is gone may turn out to be there after all


class Attendance:
    """Looks after the component's pod from a thread of the first worker.

    Args:
        pod: The component's.
        end: Called once the pod has been gone, or at its end, for long enough.
    """

    def __init__(
        self, pod: str, end: Callable[[], None] | None = None, pause: float = _PAUSE, grace: float = _GRACE
    ) -> None:
        self._pod, self._pause, self._grace = pod, pause, grace
        self._end = end or _end

    def start(self) -> None:
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        api = KubernetesApi()
        gone_since = None
        while True:
            try:
                waits = api.is_running(self._pod)
            except RequestRefused as error:
                print(f"nobody will notice when the component is gone: {error}", flush=True)
                return
            except ServerUnavailable:
                waits = True
            gone_since = None if waits else gone_since or time.monotonic()
            if gone_since is not None and time.monotonic() - gone_since >= self._grace:
                self._end()
                return
            time.sleep(self._pause)


def _end() -> None:
    """At once, and with a code after which nobody starts this worker again."""
    print("the component that waited for this training is gone", flush=True)
    os._exit(1)
