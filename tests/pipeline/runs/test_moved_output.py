"""Tests of output folders that were moved or are mounted at another place: summaries, reports and ML Metadata."""

import json
import os
import shutil
from pathlib import Path

import ml_metadata as mlmd
import pytest
from ml_metadata.proto import metadata_store_pb2

from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.pipeline.runs.metadata import check_metadata, open_metadata
from efficientmixnet.pipeline.runs.run_report import read_content
from efficientmixnet.pipeline.runs.run_summary import Summary
from efficientmixnet.pipeline.runs.runs import read_summary, runs_beside, runs_of


@pytest.fixture
def moved(tmp_path: Path) -> Path:
    """An output folder with one run, moved from old to new."""
    old, new = tmp_path / "old", tmp_path / "new"
    run, evaluated = old / "runs" / "1", old / "artifacts" / "Report" / "report" / "9"
    evaluation = old / "artifacts" / "Evaluator" / "evaluation" / "8"
    for folder in (run, evaluated, evaluation):
        folder.mkdir(parents=True)
    content = {"evaluation": str(evaluation), "config": {}, "curves": {}, "metrics": [], "verdict": {}}
    (evaluated / "content.json").write_text(json.dumps(content))
    paths = {"run": run, "pushed_model": old / "pushed" / "7", "evaluated": evaluated, "report": run / "report.html"}
    summary = Summary(
        state="pushed", reason="good", started="2026-01-02", **{name: str(path) for name, path in paths.items()}
    )
    summary.write(run, old)
    _store(old, [str(evaluation), f"{old}2/artifacts/Evaluator/evaluation/8", str(old / "artifacts/Pusher/pushed/10")])
    old.rename(new)
    return new


def _store(output: Path, uris: list[str]) -> None:
    connection = metadata_store_pb2.ConnectionConfig()
    connection.sqlite.filename_uri = str(output / "metadata.sqlite")
    connection.sqlite.connection_mode = metadata_store_pb2.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
    store = mlmd.MetadataStore(connection)
    kind = metadata_store_pb2.ArtifactType(name="PushedModel")
    kind_id = store.put_artifact_type(kind)
    artifacts = [metadata_store_pb2.Artifact(type_id=kind_id, uri=uri) for uri in uris]
    artifacts[-1].custom_properties["pushed_destination"].string_value = str(output / "pushed" / "7")
    artifacts[-1].custom_properties["note"].string_value = f"pushed to {output}/pushed"
    store.put_artifacts(artifacts)


def test_summaries_have_the_paths_of_the_new_folder(moved: Path) -> None:
    for summary in (read_summary(str(moved)), read_summary(str(moved / "runs" / "1")), *runs_of(str(moved))):
        assert summary.run == str(moved / "runs" / "1")
        assert summary.pushed_model == str(moved / "pushed" / "7")
        assert summary.report == str(moved / "runs" / "1" / "report.html")
        assert summary.tensorboard is None


def test_a_relative_path_and_a_link_to_the_folder_give_existing_paths(
    moved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "link").symlink_to(moved)
    monkeypatch.chdir(tmp_path)
    for folder in ("new", "link", "./new/runs/1"):
        assert Path(read_summary(folder).run, "summary.json").is_file()


def test_a_copied_run_folder_is_itself_and_has_the_results_of_the_output_folder_that_it_comes_from(
    moved: Path, tmp_path: Path
) -> None:
    shutil.copytree(moved / "runs" / "1", tmp_path / "copy")
    summary = read_summary(str(tmp_path / "copy"))
    assert summary.run == str(tmp_path / "copy")
    assert summary.report == str(tmp_path / "copy" / "report.html")
    assert summary.evaluated == str(tmp_path / "old" / "artifacts" / "Report" / "report" / "9")
    assert runs_beside(summary) == [summary]


@pytest.mark.parametrize("keeps_the_original", [True, False])
def test_a_renamed_run_is_where_its_summary_is(moved: Path, tmp_path: Path, keeps_the_original: bool) -> None:
    if keeps_the_original:
        shutil.copytree(moved, tmp_path / "old")
    run = (moved / "runs" / "1").rename(moved / "runs" / "baseline")
    for summary in (read_summary(str(run)), *runs_of(str(moved)), *runs_beside(read_summary(str(run)))):
        assert summary.run == str(run)
        assert summary.report == str(run / "report.html")
        assert summary.pushed_model == str(moved / "pushed" / "7")
        assert summary.evaluated == str(moved / "artifacts" / "Report" / "report" / "9")
    with pytest.raises(BadInput, match=f"^{moved}: its last run, {moved}/runs/1, is missing; restore it, or give the"):
        read_summary(str(moved))


def test_the_report_names_the_evaluation_in_the_new_folder(moved: Path) -> None:
    content = read_content(read_summary(str(moved)))
    assert content
    assert content["evaluation"] == str(moved / "artifacts" / "Evaluator" / "evaluation" / "8")


def _uris_and_destination(output: Path) -> tuple[list[str], str]:
    artifacts = open_metadata(output / "metadata.sqlite").get_artifacts()
    properties = artifacts[-1].custom_properties
    assert properties["note"].string_value.startswith("pushed to ")
    return [one.uri for one in artifacts], properties["pushed_destination"].string_value


def test_ml_metadata_follows_the_folder_and_nothing_else(moved: Path, tmp_path: Path) -> None:
    for name in ("new", "newer", "old"):
        output = moved = moved.rename(tmp_path / name)
        check_metadata(output)
        assert _uris_and_destination(output) == (
            [
                f"{output}/artifacts/Evaluator/evaluation/8",
                f"{tmp_path}/old2/artifacts/Evaluator/evaluation/8",
                f"{output}/artifacts/Pusher/pushed/10",
            ],
            f"{output}/pushed/7",
        )


@pytest.mark.parametrize("can_write", [True, False])
def test_reading_ml_metadata_follows_the_folder_in_a_copy(
    moved: Path, monkeypatch: pytest.MonkeyPatch, can_write: bool
) -> None:
    """A run may be writing to the folder, which is mounted at another place for it."""
    before = (moved / "metadata.sqlite").read_bytes()
    monkeypatch.setattr(os, "access", lambda path, mode: can_write)
    uris, destination = _uris_and_destination(moved)
    assert (uris[0], destination) == (f"{moved}/artifacts/Evaluator/evaluation/8", f"{moved}/pushed/7")
    assert (moved / "metadata.sqlite").read_bytes() == before
