"""Stages: shows a line for each stage of a run, and a progress bar for the current one."""

import logging
import re
import threading
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TextIO

from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn

from efficientmixnet.modules.progress import Figures, as_text
from efficientmixnet.pipeline.terminal import PlainConsole, styled
from efficientmixnet.pipeline.whereabouts import note

_BAR_SECONDS = 0.1  # between changes of the bar, unless the figures change; one takes as long as a small image
_PLAIN_SECONDS = 10  # between lines of progress if there is no terminal
_VALIDATED = ("val_accuracy",)  # known after each epoch, and shown until the next one
_WIDE = 100  # columns
_STARTED = re.compile(r"Component (\S+) is running\.")
_FINISHED = re.compile(r"Component (\S+) is finished\.")
_CACHED = re.compile(r"A cached execution \d+ is used\.")


@dataclass(frozen=True)
class _Stage:
    name: str
    began: float
    task: TaskID


class Stages(logging.Handler):
    """Follows the log of LocalDagRunner for the stages, and listens to modules/progress.py for their progress.

    The thread that makes it runs one stage after another, and all progress is theirs. Another thread may run one beside
    them.

    Args:
        out: The stream to print to. Without a terminal, it gets plain lines.
    """

    def __init__(self, out: TextIO) -> None:
        super().__init__(logging.INFO)
        self.seconds: dict[str, float] = {}
        self._began: float | None = None
        self.elapsed = 0.0
        """The seconds from the start of the first stage to the end of the last one. Some run at the same time."""
        self.cached: list[str] = []
        self._thread = threading.get_ident()
        self._running: dict[int | None, _Stage] = {}  # by thread
        self.ended: str | None = None
        """The last stage that ended, whether well or not."""
        self._counting = self._last_line = self._shown = 0.0
        self._done = self._total = self._first = 0
        self._unit = ""
        self._validated: Figures = {}
        self._console = PlainConsole(out, soft_wrap=True)
        self._bar = Progress(
            SpinnerColumn("dots" if self._console.encoding.startswith("utf") else "line"),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[count]}"),
            TextColumn("{task.fields[figures]}", markup=False),
            TextColumn("{task.fields[pace]}", markup=False),
            console=self._console,
            transient=True,
            expand=True,  # to the width of the terminal
            redirect_stdout=False,  # The output of the libraries goes to the log.
            redirect_stderr=False,
            disable=not self._console.is_terminal,
        )

    def __enter__(self) -> "Stages":
        self._bar.start()
        return self

    def __exit__(self, error_type: type[BaseException] | None, *_: object) -> None:
        if error_type:
            state = "stopped" if issubclass(error_type, KeyboardInterrupt) else "failed"
            for thread in sorted(self._running, key=lambda one: one == self._thread):  # this thread's last
                self._end(thread, state, "red")
        self._bar.stop()

    @property
    def _stage(self) -> _Stage | None:
        """The stage of the thread that made this."""
        return self._running.get(self._thread)

    def emit(self, record: logging.LogRecord) -> None:
        """Starts or ends a stage if the log says so."""
        message, stage = record.getMessage(), self._running.get(record.thread)
        if started := _STARTED.match(message):
            self._begin(record.thread, started[1])
        elif _CACHED.match(message) and stage:
            self.cached.append(stage.name)
        elif _FINISHED.match(message) and stage:
            from_cache = stage.name in self.cached
            self._end(record.thread, "from cache" if from_cache else "done", "cyan" if from_cache else "green")

    def start(self, total: int, unit: str) -> None:
        """Starts the bar of the current stage: it handles `total` items of `unit`, such as images."""
        self._done, self._total, self._unit, self._validated = 0, total, unit, {}
        self._show({})

    def advance(self, count: int, figures: Figures) -> None:
        """Advances the bar by `count` items, and shows the figures next to it."""
        if not self._done:  # The pace does not include what comes before, such as tracing the network.
            self._counting, self._first = time.monotonic(), count
        self._done += count
        if figures or self._done >= self._total or time.monotonic() > self._shown + _BAR_SECONDS:
            self._show(figures)
        if self._bar.disable and time.monotonic() - self._last_line > _PLAIN_SECONDS:
            self._last_line = time.monotonic()
            name = self._stage.name if self._stage else ""
            line = f"  {name:<17} {self._done:,} of {self._total:,} {self._unit} {as_text(figures)}".rstrip()
            self._console.print(f"{line} {self._pace()}".rstrip())

    def tell(self, line: str) -> None:
        """Prints a line of the current stage."""
        self._console.print(f"  {line}", style="dim")

    def _begin(self, thread: int | None, name: str) -> None:
        before = self._running.get(thread)
        if not before or before.name != name:  # A retried stage keeps its start time.
            task = self._bar.add_task(name, total=None, count="", figures="", pace="")
            self._running[thread] = stage = _Stage(name, time.monotonic(), task)
            self._began = self._began or stage.began
            note(place=name)
        if self._running[thread] is self._stage:
            self._last_line = time.monotonic()
            self._done = self._total = 0

    def _end(self, thread: int | None, state: str, color: str) -> None:
        counted = f"   {self._done:,} {self._unit}" if self._done and thread == self._thread else ""
        stage = self._running.pop(thread)
        seconds = time.monotonic() - stage.began
        self.seconds[stage.name] = round(seconds, 2)
        self.elapsed = round(time.monotonic() - (self._began or stage.began), 2)
        self._bar.remove_task(stage.task)
        self._console.print(f"{stage.name:<17}", styled(f"{state:<10}", color), f"{seconds:7.1f} s{counted}")
        self.ended = stage.name

    def _show(self, figures: Figures) -> None:
        self._shown = time.monotonic()
        if self._stage and not self._bar.disable:
            shown = self._in_the_bar(figures) or self._unit
            count = f"{self._done:,}/{self._total:,}" if self._total else f"{self._done:,}"
            self._bar.update(
                self._stage.task,
                completed=self._done,
                total=self._total or None,
                count=count,
                figures=shown,
                pace=self._pace(),
            )

    def _in_the_bar(self, figures: Figures) -> str:
        """The figures as text. In a narrow terminal, the loss is left out."""
        self._validated = {name: figures[name] for name in _VALIDATED if name in figures} or self._validated
        wide = self._console.width >= _WIDE
        training = {name: one for name, one in figures.items() if name[:4] != "val_" and (wide or name != "loss")}
        shown = as_text({**training, **self._validated})
        return shown.replace("val_accuracy ", "val ").replace("accuracy ", "acc ")

    def _pace(self) -> str:
        """The items per second, and the remaining time at this pace."""
        timed, seconds = self._done - self._first, time.monotonic() - self._counting
        if timed <= 0 or seconds <= 0:
            return ""
        left = timedelta(seconds=round(seconds / timed * max(self._total - self._done, 0)))
        return f"{timed / seconds:,.0f}/s {left} left"
