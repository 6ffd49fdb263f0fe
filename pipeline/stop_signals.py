"""StopSignals: ends a command after SIGTERM or Ctrl-C, even if a library hides the KeyboardInterrupt.

Beam turns a KeyboardInterrupt into a RuntimeError, and other libraries drop it. So this remembers that a signal came.
"""

import os
import signal
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

EXIT_INTERRUPTED = 130

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_SAME = 1.0  # seconds in which further signals count as the same one: `timeout` sends two
_GRACE = 5.0  # seconds that the process has to end after a second signal
_AT_ONCE = b"interrupted: ended at once after a second signal; run the command again to continue\n"


class StopSignals:
    """A context in which SIGTERM and Ctrl-C raise KeyboardInterrupt in the main thread.

    Any other error that leaves the body after a signal becomes a KeyboardInterrupt too. After a second signal, the
    process has a few seconds to end. If it hangs, even in C++, a thread ends it with exit code 130.

    Args:
        last_words: Called before the thread ends the process.
    """

    def __init__(self, last_words: Callable[[], None] = lambda: None) -> None:
        self.last_words = last_words
        self._first: float | None = None
        self._is_over = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "StopSignals":
        if threading.current_thread() is threading.main_thread():  # Python allows handlers only there.
            self._before = {number: signal.signal(number, self._interrupt) for number in _SIGNALS}
            source, self._sink = os.pipe()
            os.set_blocking(self._sink, False)
            self._sink_before = signal.set_wakeup_fd(self._sink, warn_on_full_buffer=False)
            threading.Thread(target=self._watch, args=(source, os.dup(2)), daemon=True).start()
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: TracebackType | None) -> None:
        self._is_over = True
        if self._before:
            signal.set_wakeup_fd(self._sink_before)
            os.close(self._sink)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if error and not isinstance(error, KeyboardInterrupt) and self.caused(error):
            raise KeyboardInterrupt from error

    @property
    def came(self) -> bool:
        """Whether a signal came."""
        return self._first is not None

    def caused(self, error: BaseException) -> bool:
        """Whether the error follows from a signal, to this process or to the one that trains."""
        codes = [128 + number for number in _SIGNALS]
        ended = isinstance(error, SystemExit) and error.code in codes
        return self.came or ended or isinstance(error, KeyboardInterrupt)

    def check(self, error: BaseException | None = None) -> None:
        """Raises KeyboardInterrupt if a signal came.

        Args:
            error: What a library made of the first KeyboardInterrupt.

        Raises:
            KeyboardInterrupt: A signal came.
        """
        if self.came:
            raise KeyboardInterrupt from error

    def _interrupt(self, *_: object) -> None:
        now = time.monotonic()
        if self._first is not None and now - self._first < _SAME:
            return
        self._first = self._first or now
        raise KeyboardInterrupt

    def _watch(self, source: int, stderr: int) -> None:
        """Reads the number of each signal as a byte, which arrives even if the main thread is in C++."""
        first: float | None = None
        with open(source, "rb", buffering=0) as numbers:
            while number := numbers.read(1):
                if number[0] not in _SIGNALS:
                    continue
                first = first or time.monotonic()
                if time.monotonic() - first >= _SAME:
                    time.sleep(_GRACE)
                    break
        if not self._is_over:
            self.last_words()
            os.write(stderr, _AT_ONCE)
            os._exit(EXIT_INTERRUPTED)
        os.close(stderr)
