"""StopSignals: ends a command after SIGTERM or Ctrl-C, even if a library hides the KeyboardInterrupt.

Beam turns a KeyboardInterrupt into a RuntimeError, and other libraries drop it. So this remembers that a signal came.
"""

import signal
import threading
import time
from types import TracebackType
from typing import Any

EXIT_INTERRUPTED = 130
SIGNALS = (signal.SIGTERM, signal.SIGINT)
SAME_SIGNAL = 1.0  # seconds in which further signals count as the same one: `timeout` sends two


class StopSignals:
    """A context in which SIGTERM and Ctrl-C raise KeyboardInterrupt in the main thread.

    Any other error that leaves the body after a signal becomes a KeyboardInterrupt too.
    """

    def __init__(self) -> None:
        self._first: float | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "StopSignals":
        if threading.current_thread() is threading.main_thread():  # Python allows handlers only there.
            self._before = {number: signal.signal(number, self._interrupt) for number in SIGNALS}
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if error and not isinstance(error, KeyboardInterrupt) and self.caused(error):
            raise KeyboardInterrupt from error

    def caused(self, error: BaseException) -> bool:
        """Whether the error follows from a signal, to this process or to the one that trains."""
        codes = [128 + number for number in SIGNALS]
        ended = isinstance(error, SystemExit) and error.code in codes
        return self._first is not None or ended or isinstance(error, KeyboardInterrupt)

    def check(self, error: BaseException | None = None) -> None:
        """Raises KeyboardInterrupt if a signal came.

        Args:
            error: What a library made of the first KeyboardInterrupt.

        Raises:
            KeyboardInterrupt: A signal came.
        """
        if self._first is not None:
            raise KeyboardInterrupt from error

    def _interrupt(self, *_: object) -> None:
        now = time.monotonic()
        if self._first is not None and now - self._first < SAME_SIGNAL:
            return
        self._first = self._first or now
        raise KeyboardInterrupt
