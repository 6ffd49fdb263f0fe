"""Tests of the list of runs, and of missing or invalid summaries."""

import errno
from pathlib import Path

import pytest

from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.pipeline.runs import runs
from efficientmixnet.pipeline.runs.lineage import lineage
from efficientmixnet.pipeline.runs.run_summary import Summary
from efficientmixnet.pipeline.runs.runs import print_runs, read_summary, runs_of
from efficientmixnet.pipeline.terminal import PlainConsole


def _write(output: Path, name: str, **fields: object) -> None:
    folder = output / "runs" / name
    folder.mkdir(parents=True)
    facts = {"state": "pushed", "reason": "good", "run": str(folder), "started": "2020-01-02T03:04:05+00:00"}
    Summary.model_validate({**facts, **fields}).write(folder)


def test_runs_are_listed_oldest_first_with_their_results(tmp_path, capsys):
    _write(tmp_path, "2", state="failed", reason="the disk is full")
    _write(
        tmp_path,
        "1",
        pushed_model="/out/pushed/77",
        metrics={"accuracy": 0.5},
        seconds={"Trainer": 90.0, "Report": 9.0},
        elapsed=90.0,
    )
    print_runs(runs_of(str(tmp_path)))
    head, first, second = (line.split() for line in capsys.readouterr().out.splitlines())
    assert head[:3] == ["run", "state", "accuracy"]
    assert first == ["1", "pushed", "0.5000", "1.5", "77"]
    assert second == ["2", "failed", "0.0", "the", "disk", "is", "full"]


INVALID = [
    (b"{}", "is not the summary of a run (state: Field required)"),
    (b"no JSON", "is not the summary of a run (Invalid JSON"),
    (b"", "is not the summary of a run (Invalid JSON"),
    (b"\xff\xfe", "cannot be read (it is not UTF-8)"),
]


@pytest.mark.parametrize(("written", "why"), INVALID)
def test_an_invalid_summary_is_refused_with_the_cure(tmp_path, written, why):
    (tmp_path / "summary.json").write_bytes(written)
    with pytest.raises(BadInput) as raised:
        read_summary(str(tmp_path))
    assert str(raised.value).startswith(f"{tmp_path}/summary.json: {why}")
    assert str(raised.value).endswith("; restore it, or delete its folder")


def test_a_summary_that_may_not_be_read_is_not_to_be_deleted(tmp_path):
    (tmp_path / "summary.json").symlink_to("summary.json")
    with pytest.raises(BadInput) as raised:
        read_summary(str(tmp_path))
    cure = "give a path that is not a link to itself"
    assert str(raised.value) == f"{tmp_path}/summary.json: Too many levels of symbolic links; {cure}"


def test_a_folder_without_a_summary_is_refused(tmp_path):
    with pytest.raises(BadInput, match=f"{tmp_path}: has no summary.json"):
        read_summary(str(tmp_path))


@pytest.mark.parametrize(("written", "why"), INVALID)
def test_one_invalid_summary_does_not_hide_the_other_runs(tmp_path, capsys, written, why):
    _write(tmp_path, "1")
    _write(tmp_path, "3")
    (tmp_path / "runs" / "2").mkdir()
    (tmp_path / "runs" / "2" / "summary.json").write_bytes(written)
    assert [Path(run.run).name for run in runs_of(str(tmp_path))] == ["1", "3"]
    assert capsys.readouterr().err.startswith(f"left out: {tmp_path}/runs/2/summary.json: {why}")


def test_a_run_that_may_not_be_read_is_named(tmp_path, capsys, monkeypatch):
    _write(tmp_path, "1")
    _write(tmp_path, "2")
    closed, stat = tmp_path / "runs" / "2" / "summary.json", Path.stat

    def refused(path, **options):
        if path == closed:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return stat(path, **options)

    closed.unlink()
    monkeypatch.setattr(Path, "stat", refused)
    assert [Path(run.run).name for run in runs_of(str(tmp_path))] == ["1"]
    assert capsys.readouterr().err.startswith(f"left out: {tmp_path}/runs/2")


def test_an_output_folder_without_runs_is_refused(tmp_path):
    with pytest.raises(BadInput, match="has no runs"):
        runs_of(str(tmp_path))


def test_a_folder_whose_name_is_not_text_is_refused_by_all_that_read_it(tmp_path):
    output = tmp_path / "out\udcff"
    (output / "runs" / "1").mkdir(parents=True)
    for read in (runs_of, read_summary, lineage):
        with pytest.raises(BadInput, match=r"out\\udcff': has a character that is not text \(\\udcff\); rename the"):
            read(str(output))


def test_a_run_whose_name_is_not_text_does_not_hide_the_others(tmp_path, capsys):
    _write(tmp_path, "1")
    _write(tmp_path, "2")
    (tmp_path / "runs" / "2").rename(tmp_path / "runs" / "\udcff")
    assert [Path(run.run).name for run in runs_of(str(tmp_path))] == ["1"]
    assert "\\udcff': has a character that is not text" in capsys.readouterr().err


def test_the_accuracy_on_a_test_split_has_a_column(tmp_path, capsys):
    _write(tmp_path, "1", metrics={"accuracy": 0.5})
    _write(tmp_path, "2", metrics={"accuracy": 0.5}, test_accuracy=0.25)
    print_runs(runs_of(str(tmp_path)))
    head, first, second = capsys.readouterr().out.splitlines()
    assert "test accuracy" in head
    assert first.split()[2:4] == ["0.5000", "0.0"]
    assert second.split()[2:5] == ["0.5000", "0.2500", "0.0"]


@pytest.mark.parametrize(
    ("columns", "heads"),
    [
        (160, ["run", "state", "accuracy", "macro_f1", "loss", "minutes", "model", "or", "reason"]),
        (80, ["run", "state", "accuracy", "macro_f1", "loss", "minutes", "reason"]),  # The last head is wrapped.
        (60, ["run", "state", "accuracy", "model", "or", "reason"]),
        (40, ["run", "state", "accuracy"]),
        (24, ["run"]),
    ],
)
def test_a_narrow_terminal_has_fewer_columns_and_whole_names(tmp_path, capsys, monkeypatch, columns, heads):
    name, metrics = "20261130-055828-043523", {"accuracy": 0.5, "macro_f1": 0.4, "loss": 1.25}
    _write(tmp_path, name, pushed_model="/out/pushed/1796018499", metrics=metrics)
    monkeypatch.setattr(runs, "PlainConsole", lambda width: PlainConsole(width=columns))
    print_runs(runs_of(str(tmp_path)))
    *_, head, row = capsys.readouterr().out.splitlines()
    assert head.split() == heads
    assert row.split()[0] == name
