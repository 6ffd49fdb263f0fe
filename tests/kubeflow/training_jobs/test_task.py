"""Artifacts pass between component and workers through the object store, or through a folder on a volume."""

import json
from pathlib import Path
from typing import Any

import pytest

from efficientmixnet.kubeflow.launcher_paths import ROOT_VARIABLE, to_path
from efficientmixnet.kubeflow.store import object_store
from efficientmixnet.kubeflow.training_jobs.task import Task
from efficientmixnet.kubeflow.training_jobs.worker import _with_outputs_in

FOLDER = "minio://mlpipeline/root/digits/5f0c/Trainer/1"
REPORT = {"artifacts": {"model": {"artifacts": [{"uri": f"{FOLDER}/model"}]}}}


def _invocation(folder: str = FOLDER) -> dict[str, Any]:
    return {
        "inputs": {"artifacts": {"examples": {"artifacts": [{"uri": "minio://mlpipeline/root/examples"}]}}},
        "outputs": {
            "artifacts": {
                "model": {"artifacts": [{"uri": f"{folder}/model"}]},
                "model_run": {"artifacts": [{"uri": f"{folder}/model_run"}]},
                "executor-logs": {"artifacts": [{"uri": f"{folder}/executor-logs"}]},
            },
            "outputFile": "/tmp/kfp_outputs/output_metadata.json",  # noqa: S108
        },
    }


def _train(uri: str, content: str) -> None:
    file = Path(to_path(uri), "Format-Serving", "saved_model.pb")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)


def test_all_attempts_of_an_execution_have_the_same_identity() -> None:
    one, again, other = Task(_invocation(), None), Task(_invocation(), "/mnt"), Task(_invocation(FOLDER + "2"), None)
    assert one.identity == again.identity != other.identity


def test_with_a_store_the_first_worker_delivers_to_the_components_uris(
    store: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ROOT_VARIABLE, str(tmp_path))
    task = Task(_invocation(), None)
    task.hand_over()
    task.fetch()
    assert (tmp_path / "minio/mlpipeline/root/examples/Split-train/a.gz").read_text() == "images"
    _train(f"{FOLDER}/model", "a model")
    task.deliver(REPORT)
    assert [file.name for file in object_store.files(f"{FOLDER}/model")] == ["Format-Serving/saved_model.pb"]
    assert Task(_invocation(), None).take_back() == REPORT


def test_with_an_exchange_the_workers_need_no_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    component = Task(_invocation(), str(tmp_path / "exchange"))
    monkeypatch.setenv(ROOT_VARIABLE, str(tmp_path / "component"))
    _train("minio://mlpipeline/root/examples", "images")
    component.hand_over()
    worker = Task(_invocation(), str(tmp_path / "exchange"))
    assert worker.root
    monkeypatch.setenv(ROOT_VARIABLE, worker.root)
    worker.fetch()
    assert Path(to_path("minio://mlpipeline/root/examples"), "Format-Serving", "saved_model.pb").is_file()
    _train(f"{FOLDER}/model", "a model")
    worker.deliver(REPORT)
    monkeypatch.setenv(ROOT_VARIABLE, str(tmp_path / "component"))
    assert component.take_back() == REPORT
    assert Path(to_path(f"{FOLDER}/model"), "Format-Serving", "saved_model.pb").read_text() == "a model"
    assert list((tmp_path / "exchange").iterdir()) == []  # nothing is left behind


@pytest.mark.parametrize("exchange", [False, True])
def test_workers_get_the_base_model_and_ignore_a_missing_one(
    store: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exchange: bool
) -> None:
    """An input artifact of an earlier task may have no files."""
    folder = str(tmp_path / "exchange") if exchange else None
    invocation = _invocation()
    for name in ("base_model", "absent"):
        invocation["inputs"]["artifacts"][name] = {"artifacts": [{"uri": f"minio://mlpipeline/root/{name}"}]}
    monkeypatch.setenv(ROOT_VARIABLE, str(tmp_path / "component"))
    _train("minio://mlpipeline/root/base_model", "weights")
    object_store.upload(to_path("minio://mlpipeline/root/base_model"), "minio://mlpipeline/root/base_model")
    Task(invocation, folder).hand_over()
    worker = Task(invocation, folder)
    monkeypatch.setenv(ROOT_VARIABLE, worker.root or str(tmp_path / "worker"))
    worker.fetch()
    base = Path(to_path("minio://mlpipeline/root/base_model"), "Format-Serving", "saved_model.pb")
    assert base.read_text() == "weights"
    assert not Path(to_path("minio://mlpipeline/root/absent")).exists()


def test_only_the_first_worker_writes_to_the_components_uris(tmp_path: Path) -> None:
    first = _with_outputs_in(str(tmp_path), _invocation(), all_of_them=False)["outputs"]
    assert first["artifacts"] == _invocation()["outputs"]["artifacts"]
    other = _with_outputs_in(str(tmp_path), _invocation(), all_of_them=True)["outputs"]
    uris = {name: listed["artifacts"][0]["uri"] for name, listed in other["artifacts"].items()}
    assert uris == {name: f"{tmp_path}/{name}" for name in ("model", "model_run", "executor-logs")}
    assert json.loads(json.dumps(other))["outputFile"] == f"{tmp_path}/executor_output.json"
