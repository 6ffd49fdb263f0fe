"""interrupted_when_a_worker_ends: Beam's in-process runner would wait forever for a killed worker process."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from efficientmixnet.modules.exceptions import WorkerEnded

_THREAD = "run_worker"  # Beam's thread that waits for a worker. It fails if the worker ends with an error.
_PROGRAM = b"efficientmixnet.components.beam.worker"


@contextmanager
def interrupted_when_a_worker_ends() -> Iterator[None]:
    """Raises WorkerEnded in the body when a worker process dies, and kills the other workers.

    Outside the main thread it does nothing.
    """
    if threading.current_thread() is not threading.main_thread():  # Python allows handlers only there.
        yield
        return
    ended: list[str] = []
    hook_before = threading.excepthook

    def note(failure: threading.ExceptHookArgs) -> None:
        if failure.thread is None or failure.thread.name != _THREAD:
            hook_before(failure)
        elif not ended:
            ended.append(str(failure.exc_value))
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)

    def interrupt(*_: object) -> None:
        for worker in list(_workers()):  # Beam waits for them before it raises an exception.
            with suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)
        raise WorkerEnded(ended[0])

    handler_before = signal.signal(signal.SIGUSR1, interrupt)
    threading.excepthook = note
    try:
        yield
    finally:
        threading.excepthook = hook_before
        signal.signal(signal.SIGUSR1, handler_before)


def _workers() -> Iterator[int]:
    """The worker processes that this process has started."""
    for children in Path("/proc/self/task").glob("*/children"):
        for child in children.read_text().split():
            with suppress(OSError):  # The process has ended.
                if _PROGRAM in Path("/proc", child, "cmdline").read_bytes():
                    yield int(child)
