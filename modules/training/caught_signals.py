"""CaughtSignals: holds SIGTERM and Ctrl-C back until the process is ready for them."""

import signal
import threading
import time
from collections.abc import Callable
from typing import Any

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_SAME = 1.0  # seconds in which further signals count as the same one: `timeout` sends two


class CaughtSignals:
    """A context in which the first signal is only stored in `caught`. A later one has its usual effect.

    Args:
        on_signal: Called when the first signal arrives.

    Example:
        >>> with CaughtSignals() as signals:
        ...     work()
        >>> signals.deliver()
    """

    def __init__(self, on_signal: Callable[[], None] | None = None) -> None:
        self.caught: signal.Signals | None = None
        self._when = 0.0
        self._on_signal = on_signal
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "CaughtSignals":
        if threading.current_thread() is threading.main_thread():  # Python allows handlers only there
            self._before = {number: signal.signal(number, self._catch) for number in _SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def deliver(self) -> None:
        """Calls the previous handler of the caught signal, if there was a signal.

        Without a handler, as in a container, the process ends with 128 plus the signal's number: 143 for SIGTERM.
        """
        if self.caught is None:
            return
        handler = self._before[self.caught]
        if callable(handler):
            handler(self.caught, None)
        raise SystemExit(128 + self.caught)

    def _catch(self, number: int, frame: Any) -> None:
        if self.caught is None:
            self.caught, self._when = signal.Signals(number), time.monotonic()
            if self._on_signal:
                self._on_signal()
        elif time.monotonic() - self._when >= _SAME:
            self.__exit__()
            signal.raise_signal(number)
