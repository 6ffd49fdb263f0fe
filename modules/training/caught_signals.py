"""CaughtSignals: SIGTERM and Ctrl-C wait until the process is ready for them."""

import signal
import threading
from collections.abc import Callable
from typing import Any

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class CaughtSignals:
    """`with` this, the first signal is kept in `caught`, after a call of `at_once`; a second one does not wait."""

    def __init__(self, at_once: Callable[[], None] | None = None) -> None:
        self.caught: signal.Signals | None = None
        self._at_once = at_once
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "CaughtSignals":
        if threading.current_thread() is threading.main_thread():  # elsewhere Python takes no handlers
            self._before = {number: signal.signal(number, self._catch) for number in _SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def take_effect(self) -> None:
        """Lets the signal, if there was one, have the effect that it would have had.

        Where that is none, as in a container, the process ends with 128 and the signal's number: 143 for SIGTERM.
        """
        if self.caught is None:
            return
        handler = self._before[self.caught]
        if callable(handler):
            handler(self.caught, None)
        raise SystemExit(128 + self.caught)

    def _catch(self, number: int, frame: Any) -> None:
        self.caught = signal.Signals(number)
        self.__exit__()
        if self._at_once:
            self._at_once()
