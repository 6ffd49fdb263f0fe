"""ProgressLines: prints progress as lines in a pod's log, which has no terminal for a progress bar."""

import threading
import time
from typing import TextIO

from efficientmixnet.modules import progress

_SECONDS = 30


class ProgressLines:
    """Prints the progress of a stage at most every 30 seconds, and once at the end.

    Args:
        out: Where to print it. By default standard output.
    """

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out
        self._lock = threading.Lock()  # Beam calls it from several threads
        self._done = self._total = 0
        self._unit = ""
        self._printed = time.monotonic()

    def start(self, total: int, unit: str) -> None:
        with self._lock:
            self._done, self._total, self._unit = 0, total, unit
            self._printed = time.monotonic()

    def advance(self, count: int, figures: progress.Figures) -> None:
        with self._lock:
            self._done += count
            if self._done >= self._total or time.monotonic() - self._printed > _SECONDS:
                self._printed = time.monotonic()
                self.tell(f"{self._done:,} of {self._total:,} {self._unit} {progress.as_text(figures)}".rstrip())

    def tell(self, line: str) -> None:
        print(line, file=self._out, flush=True)


def show(out: TextIO | None = None) -> None:
    """Prints all further progress to the stream, by default standard output."""
    progress.listen(ProgressLines(out))
