"""Progress in a pod's log: a line now and then, and one at the end."""

import io

import pytest

from efficientmixnet.kubeflow.progress_lines import ProgressLines


def test_there_is_a_line_every_half_minute_and_one_at_the_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = 100.0
    monkeypatch.setattr("efficientmixnet.kubeflow.progress_lines.time.monotonic", lambda: now)
    lines = ProgressLines()
    lines.start(2000, "images")
    for _ in range(40):  # a second each
        now += 1.0
        lines.advance(50, {"loss": 0.5})
    assert capsys.readouterr().out == "1,550 of 2,000 images loss 0.5000\n2,000 of 2,000 images loss 0.5000\n"


def test_what_is_worth_knowing_stands_in_the_log_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    behind = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(io.BufferedWriter(behind)))  # as Python has it in a pod
    ProgressLines().tell("worker 1 cannot start")
    assert behind.getvalue() == b"worker 1 cannot start\n"
