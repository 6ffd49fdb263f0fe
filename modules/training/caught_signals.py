"""CaughtSignals: holds SIGTERM and Ctrl-C back until the process is ready for them."""

import signal
import threading
from collections.abc import Callable
from typing import Any

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class CaughtSignals:
    """A context in which the first signal is only stored in `caught`. A second one has its usual effect.

    Args:
        on_signal: Called when the first signal arrives.

    Example:
        >>> with CaughtSignals() as signals:
        ...     work()
        >>> signals.deliver()
    """

    def __init__(self, on_signal: Callable[[], None] | None = None) -> None:
        self.caught: signal.Signals | None = None
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
        self.caught = signal.Signals(number)
        self.__exit__()
        if self._on_signal:
            self._on_signal()
