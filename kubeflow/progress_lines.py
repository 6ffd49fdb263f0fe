"""Progress as lines in a pod's log, where there is no terminal for a bar."""

import threading
import time

from efficientmixnet.modules import progress

_SECONDS = 30


class ProgressLines:
    """Prints how far the task is, at most every 30 seconds, and once at the end."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # Beam's threads report too
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
                print(
                    f"{self._done:,} of {self._total:,} {self._unit} {progress.as_text(figures)}".rstrip(), flush=True
                )

    def tell(self, line: str) -> None:
        print(line, flush=True)


def show() -> None:
    """All further progress goes to standard output."""
    progress.listen(ProgressLines())
