"""Tests of the commands for finished runs."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from efficientmixnet.pipeline.cli import main
from efficientmixnet.pipeline.runs import run_report
from efficientmixnet.pipeline.runs.run_summary import Summary
from efficientmixnet.pipeline.runs.tfma_page import tfma_page


@pytest.mark.parametrize(
    ("command", "module", "function"), [("report", run_report, "write_report"), ("tfma", tfma_page, "write_tfma_page")]
)
def test_a_folder_that_cannot_be_written_is_named_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, module: object, function: str
) -> None:
    run = tmp_path / "runs" / "1"
    run.mkdir(parents=True)
    Summary(state="pushed", reason="", run=str(run), started="2026-01-02T03:04:05+00:00").write(run)

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "report.html")

    monkeypatch.setattr(module, function, refuse)
    result = CliRunner().invoke(main, [command, str(run)])
    assert result.exit_code == 2
    assert result.output.splitlines()[-1] == (
        f"error: {run}: cannot be written: Permission denied; copy the output folder to another place, "
        "and give the copy"
    )


def test_a_page_that_cannot_be_written_is_refused_before_runs_are_compared(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = CliRunner().invoke(main, ["compare", str(tmp_path / "none"), "--page", str(tmp_path / "file" / "a.html")])
    assert result.exit_code == 2
    expected = f"{tmp_path}/file is not a folder that you can write to"
    assert result.output == f"error: --page {tmp_path}/file/a.html: cannot be written: {expected}\n"


@pytest.mark.parametrize("command", ["report", "tfma", "compare"])
def test_missing_results_are_named_with_the_cure(tmp_path: Path, command: str) -> None:
    run = tmp_path / "runs" / "1"
    run.mkdir(parents=True)
    gone = tmp_path / "artifacts" / "Report" / "report" / "11"
    facts = {"run": str(run), "evaluated": str(gone), "started": "2026-01-02T03:04:05+00:00"}
    Summary(state="pushed", reason="reaches 0.9", **facts).write(run)
    result = CliRunner().invoke(main, [command, str(run)])
    assert result.exit_code == 2
    assert result.output.splitlines()[-1] == (
        f"error: {gone}/content.json is missing; run the pipeline again (efficientmixnet run), and give the new run"
    )


def test_a_run_without_an_evaluation_says_why(tmp_path: Path) -> None:
    run = tmp_path / "runs" / "1"
    run.mkdir(parents=True)
    Summary(state="failed", reason="memory is full", run=str(run), started="2026-01-02T03:04:05+00:00").write(run)
    result = CliRunner().invoke(main, ["report", str(run)])
    assert result.output.splitlines()[-1] == (
        f"error: {run}: the run has not evaluated a model (failed: memory is full); give another run"
    )
