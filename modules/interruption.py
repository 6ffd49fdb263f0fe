"""Interruption: a training that is told to stop saves itself first, and ends with a code that asks for a retry."""

import signal
import threading
from typing import Any

import keras

from efficientmixnet.modules import progress
from efficientmixnet.modules.checkpoint import Checkpoint

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


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
