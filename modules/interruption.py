"""Interruption: a training that is told to stop saves itself first, and ends with a code that asks for a retry."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf

from efficientmixnet.modules import progress
from efficientmixnet.modules.checkpoint import Checkpoint

# Kubernetes' operators take an exit code from 128 on for a fault that passes, and start the pod again.
EXIT_LOST_PEERS = 128 + signal.SIGHUP

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.InternalError,
)


class Interruption(keras.callbacks.Callback):
    """Between two steps after SIGTERM or Ctrl-C: saves, then lets the signal have the effect that it had before.

    Where it had none, as in a container, the process ends with 128 and the signal's number: 143 for SIGTERM. A second
    signal does not wait.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__()
        self._checkpoint = checkpoint
        self._before: dict[int, Any] = {}
        self._caught: int | None = None

    def __enter__(self) -> "Interruption":
        if threading.current_thread() is threading.main_thread():  # elsewhere Python takes no handlers
            self._before = {number: signal.signal(number, self._catch) for number in _SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if self._caught is not None and not self._checkpoint.awaits_evaluation:
            self._checkpoint.save()
            self._end(self._caught)

    on_epoch_end = on_train_batch_end

    def _catch(self, number: int, frame: Any) -> None:
        self._caught = number
        self.__exit__()

    def _end(self, number: int) -> None:
        progress.tell(f"{signal.Signals(number).name}: the training is saved, and goes on from here when started again")
        handler = self._before[number]
        if callable(handler):
            handler(number, None)
        raise SystemExit(128 + number)


@contextmanager
def ending_with_peers(workers: int) -> Iterator[None]:
    """Ends this worker, with a code that asks for a retry, where another one is gone.

    Raises:
        SystemExit: with EXIT_LOST_PEERS.
    """
    try:
        yield
    except _LOST as error:
        if workers == 1:
            raise
        first = str(error).partition("\n")[0]
        progress.tell(f"another worker of {workers} is gone: {first}")
        progress.tell("started again, all of them go on from the last checkpoint")
        raise SystemExit(EXIT_LOST_PEERS) from error
