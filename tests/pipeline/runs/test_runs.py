"""Tests of the list of runs, and of missing or invalid summaries."""

from pathlib import Path

import pytest

from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.pipeline.runs.run_summary import Summary
from efficientmixnet.pipeline.runs.runs import print_runs, read_summary, runs_of


def _write(output: Path, name: str, **fields: object) -> None:
    folder = output / "runs" / name
    folder.mkdir(parents=True)
    facts = {"state": "pushed", "reason": "good", "run": str(folder), "started": "2020-01-02T03:04:05+00:00"}
    Summary.model_validate({**facts, **fields}).write(folder)


def test_runs_are_listed_oldest_first_with_their_results(tmp_path, capsys):
    _write(tmp_path, "2", state="failed", reason="the disk is full")
    _write(tmp_path, "1", pushed_model="/out/pushed/77", metrics={"accuracy": 0.5}, seconds={"Trainer": 90.0})
    print_runs(runs_of(str(tmp_path)))
    head, first, second = (line.split() for line in capsys.readouterr().out.splitlines())
    assert head[:3] == ["run", "state", "accuracy"]
    assert first == ["1", "pushed", "0.5000", "1.5", "77"]
    assert second == ["2", "failed", "0.0", "the", "disk", "is", "full"]


@pytest.mark.parametrize("written", [None, "{}", "no JSON"])
def test_a_folder_without_a_valid_summary_is_refused(tmp_path, written):
    if written is not None:
        (tmp_path / "summary.json").write_text(written)
    with pytest.raises(BadInput, match=str(tmp_path)):
        read_summary(str(tmp_path))


def test_an_output_folder_without_runs_is_refused(tmp_path):
    with pytest.raises(BadInput, match="has no runs"):
        runs_of(str(tmp_path))
