"""Tests of summary.json."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from efficientmixnet.pipeline.runs.run_summary import Images, Summary

FACTS = {"run": "/runs/1", "started": "2026-01-02T03:04:05+00:00"}


def test_the_json_has_every_field(tmp_path: Path) -> None:
    summary = Summary(
        state="pushed",
        reason="accuracy 0.9800 reaches 0.97",
        blessed=True,
        accuracy=0.98,
        metrics={"accuracy": 0.98, "loss": 0.1},
        images=Images(read=1797, left_out=2),
        pushed_model="/runs/pushed/1",
        seconds={"ImageExampleGen": 1.5},
        versions={"tfx": "1.16.0"},
        **FACTS,
    )
    summary.write(tmp_path)
    written = json.loads((tmp_path / "summary.json").read_text())
    assert written == {
        "schema_version": 1,
        "state": "pushed",
        "reason": "accuracy 0.9800 reaches 0.97",
        "blessed": True,
        "accuracy": 0.98,
        "metrics": {"accuracy": 0.98, "loss": 0.1},
        "baseline_metrics": {},
        "intervals": {},
        "test_accuracy": None,
        "test_metrics": {},
        "test_intervals": {},
        "images": {"read": 1797, "left_out": 2, "left_out_by_reason": {}},
        "splits": [],
        "corrections": None,
        "warnings": [],
        "pushed_model": "/runs/pushed/1",
        "tensorboard": None,
        "report": None,
        "evaluated": None,
        "run": "/runs/1",
        "started": "2026-01-02T03:04:05+00:00",
        "seconds": {"ImageExampleGen": 1.5},
        "elapsed": None,
        "costs": {},
        "currency": None,
        "cached": [],
        "versions": {"tfx": "1.16.0"},
        "search": None,
        "revision": None,
    }


def test_a_written_summary_can_be_read(tmp_path: Path) -> None:
    summary = Summary(state="failed", reason="Größe fehlt", **FACTS)
    summary.write(tmp_path)
    assert Summary.model_validate_json((tmp_path / "summary.json").read_text(encoding="utf-8")) == summary


def test_writing_replaces_the_previous_summary_in_every_folder(tmp_path: Path) -> None:
    folders = tmp_path / "run", tmp_path / "output"
    for folder in folders:
        folder.mkdir()
    for reason in ("first", "second"):
        Summary(state="failed", reason=reason, **FACTS).write(*folders)
    for folder in folders:
        assert [file.name for file in folder.iterdir()] == ["summary.json"]
        assert json.loads((folder / "summary.json").read_text())["reason"] == "second"


def test_an_unknown_state_is_refused() -> None:
    with pytest.raises(ValidationError, match="state"):
        Summary(state="perhaps", reason="", **FACTS)
