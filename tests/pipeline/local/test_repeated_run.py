"""Tests of repeated_run: an unchanged run is found, and any change means that the pipeline runs."""

import dataclasses
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from efficientmixnet.components.image_example_gen.sources import LeftOut, Sources
from efficientmixnet.modules.config.section import merge
from efficientmixnet.pipeline.config.config import Config
from efficientmixnet.pipeline.local import repeated_run as subject
from efficientmixnet.pipeline.local.repeated_run import forget_run, remember_run, repeated_run
from efficientmixnet.pipeline.runs.run_summary import Summary

SOURCES = Sources(entries=(), left_out=(), fingerprint="abc", bytes=9)


def _config(output: Path, **sections: Any) -> Config:
    weights = str(output.parent / "start.weights.h5")
    return Config.model_validate(merge({"output": str(output), "network": {"weights": weights}}, sections))


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """An output folder whose last run has pushed a model, and is remembered."""
    output = tmp_path / "runs"
    for file in (
        "artifacts/Trainer/model/1/saved_model.pb",
        "artifacts/Trainer/model/2/variables/variables.index",
        "pushed/7/saved_model.pb",
        "runs/1/report.html",
        "../start.weights.h5",
    ):
        (output / file).parent.mkdir(parents=True, exist_ok=True)
        (output / file).write_text("content")
    for table in ("Execution", "Artifact"):
        _add(output, table)
    folder, pushed = output / "runs" / "1", str(output / "pushed" / "7")
    summary = Summary(state="pushed", reason="good", run=str(folder), started="2026-01-02", pushed_model=pushed)
    summary.write(folder)
    artifacts = [str(output / "artifacts" / "Trainer" / "model" / number) for number in ("1", "2")]
    remember_run(_config(output), SOURCES, summary, artifacts)
    return output


def _add(output: Path, table: str) -> None:
    """Adds a row to one of ML Metadata's tables, as every run does."""
    with closing(sqlite3.connect(output / "metadata.sqlite")) as database, database:
        database.execute(f"CREATE TABLE IF NOT EXISTS {table} (id INTEGER PRIMARY KEY)")
        database.execute(f"INSERT INTO {table} DEFAULT VALUES")


def test_an_unchanged_run_gives_the_summary_of_the_last_one(output: Path) -> None:
    found = repeated_run(_config(output), SOURCES)
    assert found
    assert (found.run, found.reason) == (str(output / "runs" / "1"), "good")


def test_a_renamed_output_folder_is_still_unchanged(output: Path) -> None:
    renamed = output.rename(output.with_name("renamed"))
    found = repeated_run(_config(renamed), SOURCES)
    assert found
    assert (found.run, found.pushed_model) == (str(renamed / "runs" / "1"), str(renamed / "pushed" / "7"))


def _longer(file: str) -> Callable[[Path], object]:
    return lambda output: (output / file).write_text("other content")


def _removed(file: str) -> Callable[[Path], object]:
    return lambda output: (output / file).unlink()


@pytest.mark.parametrize(
    "change",
    [
        _removed("artifacts/Trainer/model/1/saved_model.pb"),
        _removed("artifacts/Trainer/model/2/variables/variables.index"),
        _removed("pushed/7/saved_model.pb"),
        _removed("runs/1/report.html"),
        _removed("runs/1/summary.json"),
        _removed(".last_run.json"),
        _removed("../start.weights.h5"),
        _longer("artifacts/Trainer/model/1/saved_model.pb"),
        _longer("pushed/7/saved_model.pb"),
        _longer("metadata.sqlite"),
        _longer(".last_run.json"),
        _longer("runs/1/summary.json"),
        _longer("../start.weights.h5"),
        lambda output: (output / ".last_run.json").write_text("[1]"),
        lambda output: (output / ".last_run.json").write_text('{"run": "../../.."}'),
        lambda output: _add(output, "Execution"),
        lambda output: _add(output, "Artifact"),
        lambda output: shutil.rmtree(output / "artifacts/Trainer/model/2"),
        lambda output: shutil.rmtree(output / "pushed"),
        forget_run,
    ],
)
def test_a_changed_or_missing_file_means_that_the_pipeline_runs(output: Path, change: Callable[[Path], object]) -> None:
    change(output)
    assert repeated_run(_config(output), SOURCES) is None


@pytest.mark.parametrize(
    "sections",
    [
        {"training": {"epochs": 3}},
        {"evaluation": {"thresholds": {"accuracy": 0.5}}},
        {"data": {"max_left_out": 0.5}},
        {"report": {"price_per_hour": 2.0}},
    ],
)
def test_another_configuration_means_that_the_pipeline_runs(output: Path, sections: dict[str, Any]) -> None:
    assert repeated_run(_config(output, **sections), SOURCES) is None


def test_other_images_mean_that_the_pipeline_runs(output: Path) -> None:
    for changed in ({"fingerprint": "abd"}, {"left_out": (LeftOut("a.txt", "is torn"),)}, {"skipped": {"hidden": 1}}):
        assert repeated_run(_config(output), dataclasses.replace(SOURCES, **changed)) is None


def test_other_code_or_packages_mean_that_the_pipeline_runs(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("code_digest", "versions", "revision"):
        with monkeypatch.context() as patched:
            patched.setattr(subject, name, lambda: "another")
            assert repeated_run(_config(output), SOURCES) is None
    assert repeated_run(_config(output), SOURCES)


@pytest.mark.parametrize("state", ["failed", "interrupted", "running"])
def test_a_run_that_has_not_ended_well_is_not_remembered(output: Path, state: Any) -> None:
    forget_run(output)
    summary = Summary(state=state, reason="", run=str(output / "runs" / "1"), started="2026-01-02")
    remember_run(_config(output), SOURCES, summary, [])
    assert not (output / ".last_run.json").exists()


@pytest.mark.parametrize(
    "sections",
    [
        {"network": {"weights": "latest"}},
        {"data": {"training_spans": 2, "images": "days/{SPAN}"}},
        {"data": {"drift": {"image/class/text": 0.1}}},
        {"data": {"served": "/served"}},
        {"data": {"schema_file": "/schema.pbtxt"}},
    ],
)
def test_a_run_that_reads_other_runs_or_files_is_not_remembered(output: Path, sections: dict[str, Any]) -> None:
    config = _config(output, **sections)
    folder = output / "runs" / "1"
    summary = Summary(state="not_blessed", reason="", run=str(folder), started="2026-01-02")
    summary.write(folder)
    forget_run(output)
    remember_run(config, SOURCES, summary, [])
    assert repeated_run(config, SOURCES) is None
