"""Progress is printed as lines in a pod's log."""

import io

import pytest

from efficientmixnet.kubeflow.progress_lines import ProgressLines


def test_there_is_a_line_every_30_seconds_and_one_at_the_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = 100.0
    monkeypatch.setattr("efficientmixnet.kubeflow.progress_lines.time.monotonic", lambda: now)
    lines = ProgressLines()
    lines.start(2000, "images")
    for _ in range(40):  # one second each
        now += 1.0
        lines.advance(50, {"loss": 0.5})
    assert capsys.readouterr().out == "1,550 of 2,000 images loss 0.5000\n2,000 of 2,000 images loss 0.5000\n"


def test_lines_are_flushed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(io.BufferedWriter(raw)))  # buffered, as in a pod
    ProgressLines().tell("worker 1 cannot start")
    assert raw.getvalue() == b"worker 1 cannot start\n"
