"""Tests of the summary that a run prints."""

import pytest

from efficientmixnet.pipeline.runs.print_summary import show
from efficientmixnet.pipeline.runs.run_summary import Images, Search, Summary


def test_paths_are_printed_literally(capsys: pytest.CaptureFixture[str]) -> None:
    summary = Summary(
        state="pushed",
        reason="accuracy 0.9 reaches 0.5",
        blessed=True,
        accuracy=0.9,
        intervals={"accuracy": (0.85, 0.94)},
        images=Images(read=1234, left_out=2),
        warnings=["one image has the same bytes under two labels: [b]a (cat)"],
        pushed_model="/my [bold]runs[/x]/pushed/1",
        run="/my [bold]runs[/x]/runs/1",
        started="2020-01-01T00:00:00+00:00",
    )
    show(summary)
    shown = capsys.readouterr().out
    assert "efficientmixnet predict '/my [bold]runs[/x]/pushed/1' IMAGE ..." in shown
    assert "in a browser  efficientmixnet try '/my [bold]runs[/x]/pushed/1'" in shown
    assert "0.9000 (0.8500 to 0.9400) on the evaluation split" in shown
    assert "1,234 read, 2 left out" in shown
    assert "under two labels: [b]a (cat)" in shown
    assert "TensorBoard" not in shown  # there are no logs


def test_the_result_of_a_search_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    found = Search(trials=12, objective="val_accuracy", best=0.98765, values={"training.learning_rate": 0.0123456})
    show(Summary(state="pushed", reason="", run="", started="", search=found))
    told = "best of 12 trials: val_accuracy 0.9877 with training.learning_rate 0.01235 (trials.csv)"
    assert told in capsys.readouterr().out


def test_the_test_split_is_printed_first(capsys: pytest.CaptureFixture[str]) -> None:
    show(Summary(state="pushed", reason="", run="", started="", accuracy=0.9, test_accuracy=0.87654))
    lines = capsys.readouterr().out.splitlines()
    assert lines[1:3] == [
        "test accuracy 0.8765 on the held-out test split",
        "accuracy      0.9000 on the evaluation split",
    ]


def test_corrections_have_a_row_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    found = {"splits": ["valid is eval"], "corrections": "c.csv changes 1 label"}
    show(Summary(state="pushed", reason="", run="", started="", **found))
    lines = capsys.readouterr().out.splitlines()
    assert "splits        valid is eval" in lines
    assert "corrections   c.csv changes 1 label" in lines
