"""interrupted_when_a_worker_ends: Beam's in-process runner would wait for ever for a worker process that was killed."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from efficientmixnet.modules.exceptions import WorkerEnded

_THREAD = "run_worker"  # Beam's name of the thread that waits for a worker's end, and fails where it was no good one
_PROGRAM = b"sdk_worker_main"


@contextmanager
def interrupted_when_a_worker_ends() -> Iterator[None]:
    """Raises WorkerEnded, in the main thread, in what runs within it when a worker process dies; the others go too."""
    ended: list[str] = []
    hook_before = threading.excepthook

    def note(failure: threading.ExceptHookArgs) -> None:
        if failure.thread is None or failure.thread.name != _THREAD:
            hook_before(failure)
        elif not ended:
            ended.append(str(failure.exc_value))
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)

    def interrupt(*_: object) -> None:
        for worker in list(_workers()):  # Beam waits for them before it lets an exception pass
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


def _workers(parent: str = "self") -> Iterator[int]:
    """The worker processes that this one has started, each before the shell that it was started by."""
    for children in Path("/proc", parent, "task").glob("*/children"):
        for child in children.read_text().split():
            try:
                if _PROGRAM in Path("/proc", child, "cmdline").read_bytes():
                    yield from _workers(child)
                    yield int(child)
            except OSError:
                continue  # it has ended meanwhile
