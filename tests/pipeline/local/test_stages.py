"""Tests of the line for each stage, and of the progress bar."""

import io
import logging
import os
import pty
import re
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from efficientmixnet.modules.progress import Figures
from efficientmixnet.pipeline.local.stages import Stages


class Clock:
    """A clock that only moves when the test sets it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("efficientmixnet.pipeline.local.stages.time", SimpleNamespace(monotonic=clock))
    return clock


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


def _log(stages: Stages, message: str, *arguments: object) -> None:
    stages.handle(logging.LogRecord("absl", logging.INFO, __file__, 1, message, arguments, None))


def test_a_finished_stage_has_a_line_with_its_time_and_count(out: io.StringIO, clock: Clock) -> None:
    with Stages(out) as stages:
        _log(stages, "Component ImageExampleGen is running.")
        stages.start(1800, "images")
        stages.advance(1797, {})
        clock.now += 12.34
        _log(stages, "Component ImageExampleGen is finished.")
    assert out.getvalue() == "ImageExampleGen   done          12.3 s   1,797 images\n"
    assert stages.seconds == {"ImageExampleGen": 12.34}


def test_stages_appear_in_order_with_their_cache_state(out: io.StringIO, clock: Clock) -> None:
    with Stages(out) as stages:
        for name, cached in (("StatisticsGen", True), ("SchemaGen", False), ("Trainer", True)):
            _log(stages, "Component %s is running.", name)
            _log(stages, "Going to run a new execution 7")
            if cached:
                _log(stages, "A cached execution 3 is used.")
            clock.now += 2
            _log(stages, "Component %s is finished.", name)
    assert [line.split() for line in out.getvalue().splitlines()] == [
        ["StatisticsGen", "from", "cache", "2.0", "s"],
        ["SchemaGen", "done", "2.0", "s"],
        ["Trainer", "from", "cache", "2.0", "s"],
    ]
    assert stages.cached == ["StatisticsGen", "Trainer"]
    assert list(stages.seconds) == ["StatisticsGen", "SchemaGen", "Trainer"]


@pytest.mark.parametrize(("error", "state"), [(ValueError, "failed"), (KeyboardInterrupt, "stopped")])
def test_an_incomplete_stage_is_shown_as_failed_or_stopped(
    out: io.StringIO, clock: Clock, error: type[BaseException], state: str
) -> None:
    with pytest.raises(error), Stages(out) as stages:
        _log(stages, "Component Trainer is running.")
        stages.start(100, "images")
        stages.advance(40, {"loss": 0.5})
        clock.now += 3
        raise error
    assert out.getvalue().split() == ["Trainer", state, "3.0", "s", "40", "images"]
    assert stages.seconds == {"Trainer": 3.0}


def test_an_error_between_two_stages_marks_no_stage(out: io.StringIO, clock: Clock) -> None:
    with pytest.raises(ValueError, match="later"), Stages(out) as stages:
        _log(stages, "Component Trainer is running.")
        _log(stages, "Component Trainer is finished.")
        raise ValueError("later")
    assert "failed" not in out.getvalue()


def test_without_a_terminal_a_long_stage_prints_a_line_every_ten_seconds(out: io.StringIO, clock: Clock) -> None:
    with Stages(out) as stages:
        _log(stages, "Component Trainer is running.")
        stages.start(64_000, "images")
        for second in range(1, 26):
            clock.now += 1
            stages.advance(100, {"epoch": 1, "epochs": 2, "loss": second / 100})
        _log(stages, "Component Trainer is finished.")
    assert [" ".join(line.split()) for line in out.getvalue().splitlines()] == [
        "Trainer 1,100 of 64,000 images epoch 1/2 loss 0.1100 100/s 0:10:29 left",
        "Trainer 2,200 of 64,000 images epoch 1/2 loss 0.2200 100/s 0:10:18 left",
        "Trainer done 25.0 s 2,500 images",
    ]


def test_the_pace_excludes_the_time_before_the_first_step(out: io.StringIO, clock: Clock) -> None:
    with Stages(out) as stages:
        _log(stages, "Component Trainer is running.")
        stages.start(1000, "images")
        clock.now += 60  # the network is traced
        stages.advance(100, {})
        clock.now += 20
        stages.advance(200, {})
        _log(stages, "Component Trainer is finished.")
    assert [" ".join(line.split()) for line in out.getvalue().splitlines()][:2] == [
        "Trainer 100 of 1,000 images",
        "Trainer 300 of 1,000 images 10/s 0:01:10 left",
    ]


def test_every_stage_counts_from_zero(out: io.StringIO, clock: Clock) -> None:
    with Stages(out) as stages:
        _log(stages, "Component ImageExampleGen is running.")
        stages.start(5, "images")
        stages.advance(5, {})
        _log(stages, "Component ImageExampleGen is finished.")
        _log(stages, "Component SchemaGen is running.")
        _log(stages, "Component SchemaGen is finished.")
    assert out.getvalue().splitlines()[1].split() == ["SchemaGen", "done", "0.0", "s"]


def test_other_log_messages_are_not_shown(out: io.StringIO, clock: Clock) -> None:
    with Stages(out) as stages:
        _log(stages, "MetadataStore with DB connection initialized")
        _log(stages, "It seems that Component Trainer is running.")
        _log(stages, "100%% of nothing")
    assert (out.getvalue(), stages.seconds) == ("", {})


@pytest.fixture
def on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Returns the last line that the bar shows on a terminal with this many columns, after these figures."""
    monkeypatch.setenv("TERM", "xterm")
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)

    def show(columns: int, *figures: Figures, total: int = 28_800) -> str:
        monkeypatch.setenv("COLUMNS", str(columns))
        reader, writer = pty.openpty()
        with os.fdopen(writer, "w") as terminal, Stages(terminal) as stages:
            _log(stages, "Component Trainer is running.")
            if total:
                stages.start(total, "images")
            for one in figures:
                stages.advance(40, one)
            stages._bar.refresh()
            written = b"".join(os.read(reader, 100_000) for _ in range(4))  # it is drawn ten times a second
            shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", written.decode())
        os.close(reader)
        return shown.replace("\r", "\n").rstrip("\n").rpartition("\n")[2]

    return show


TRAINING = {"epoch": 12, "epochs": 20, "accuracy": 0.8123, "loss": 0.5}


def test_the_bar_has_the_width_of_the_terminal(on_a_terminal: Callable[..., str]) -> None:
    for columns in (100, 140):
        line = on_a_terminal(columns, TRAINING)
        assert len(line) in (columns, columns - 1)
        assert "40/28,800 epoch 12/20 acc 0.8123 loss 0.5000" in line


def test_the_validation_accuracy_is_shown_until_the_next_one(on_a_terminal: Callable[..., str]) -> None:
    line = on_a_terminal(120, TRAINING, {**TRAINING, "val_accuracy": 0.9012, "val_loss": 0.4}, TRAINING)
    assert "120/28,800 epoch 12/20 acc 0.8123 loss 0.5000 val 0.9012" in line


def test_80_columns_have_both_accuracies_and_the_time_left(on_a_terminal: Callable[..., str]) -> None:
    line = on_a_terminal(80, {**TRAINING, "val_accuracy": 0.9012}, TRAINING)
    assert "epoch 12/20 acc 0.8123 val 0.9012" in line
    assert re.search(r"/s \d+:\d\d:\d\d left$", line.rstrip())


def test_a_stage_without_a_count_shows_none(on_a_terminal: Callable[..., str]) -> None:
    assert "/" not in on_a_terminal(80, total=0)


def test_the_bar_does_not_capture_standard_output() -> None:
    terminal, side = os.openpty()
    noise = sys.stdout, sys.stderr
    with os.fdopen(side, "w") as out, Stages(out):
        assert (sys.stdout, sys.stderr) == noise
    os.close(terminal)


def test_a_retried_stage_has_one_line_with_its_total_time(out: io.StringIO, clock: Clock) -> None:
    with Stages(out) as stages:
        for seconds in (5, 7):
            _log(stages, "Component Transform is running.")
            clock.now += seconds
        _log(stages, "Component Transform is finished.")
    assert out.getvalue() == "Transform         done          12.0 s\n"


def test_a_stage_of_another_thread_has_its_own_line(out: io.StringIO, clock: Clock) -> None:
    with Stages(out) as stages, ThreadPoolExecutor(1) as beside:
        beside.submit(_log, stages, "Component ServingCheck is running.").result()
        clock.now += 1
        _log(stages, "Component Evaluator is running.")
        stages.start(300, "images")
        stages.advance(300, {})
        clock.now += 2
        beside.submit(_log, stages, "Component ServingCheck is finished.").result()
        clock.now += 2
        _log(stages, "Component Evaluator is finished.")
    assert [line.split() for line in out.getvalue().splitlines()] == [
        ["ServingCheck", "done", "3.0", "s"],
        ["Evaluator", "done", "4.0", "s", "300", "images"],
    ]
    assert stages.seconds == {"ServingCheck": 3.0, "Evaluator": 4.0}
    assert stages.elapsed == 5.0


def test_progress_is_that_of_the_thread_that_made_the_stages(clock: Clock) -> None:
    out = io.StringIO()

    def run() -> None:
        with Stages(out) as stages:
            _log(stages, "Component Trainer is running.")
            stages.start(40, "images")
            clock.now += 20
            stages.advance(40, {})
            _log(stages, "Component Trainer is finished.")

    with ThreadPoolExecutor(1) as other:
        other.submit(run).result()
    assert [line.split() for line in out.getvalue().splitlines()] == [
        ["Trainer", "40", "of", "40", "images"],
        ["Trainer", "done", "20.0", "s", "40", "images"],
    ]
