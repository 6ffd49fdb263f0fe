"""ProgressLines: prints progress as lines in a pod's log, which has no terminal for a progress bar."""

import threading
import time

from efficientmixnet.modules import progress

_SECONDS = 30


class ProgressLines:
    """Prints the progress of a stage at most every 30 seconds, and once at the end."""

    def __init__(self) -> None:
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
                print(
                    f"{self._done:,} of {self._total:,} {self._unit} {progress.as_text(figures)}".rstrip(), flush=True
                )

    def tell(self, line: str) -> None:
        print(line, flush=True)


def show() -> None:
    """Prints all further progress to standard output."""
    progress.listen(ProgressLines())
