"""ScoringBar: a progress bar for scoring."""

import sys

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from efficientmixnet.modules import progress
from efficientmixnet.pipeline.terminal import PlainConsole


class ScoringBar:
    """A context manager that shows the progress on a terminal."""

    def __init__(self) -> None:
        console = PlainConsole(sys.stderr)
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        self._bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._bar.add_task("", total=None)

    def __enter__(self) -> None:
        self._bar.start()
        progress.listen(self)

    def __exit__(self, *_: object) -> None:
        progress.listen(None)
        self._bar.stop()

    def start(self, total: int, unit: str) -> None:
        """Starts the bar, also again, with the total number of items."""
        self._bar.reset(self._task, description=unit, total=total)

    def advance(self, count: int, figures: progress.Figures) -> None:
        """Moves the bar by `count` items."""
        self._bar.advance(self._task, count)
