"""ScoringBar: how far a scoring is, on a terminal."""

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from efficientmixnet.modules import progress


class ScoringBar:
    """While it is entered, it shows what `progress` is told; nothing where there is no terminal."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._bar.add_task("", total=None)

    def __enter__(self) -> None:
        self._bar.start()
        progress.listen(self)

    def __exit__(self, *_: object) -> None:
        progress.listen(None)
        self._bar.stop()

    def start(self, total: int, unit: str) -> None:
        """So many of the unit are to be done."""
        self._bar.update(self._task, description=unit, total=total)

    def advance(self, count: int, figures: progress.Figures) -> None:
        """So many more are done."""
        self._bar.advance(self._task, count)
