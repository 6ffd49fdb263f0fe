"""LatestPushed finds a pushed model, and a later task fetches it, for a warm start or as the baseline."""

import json
from pathlib import Path
from typing import Any

import pytest

from efficientmixnet.kubeflow.fetched_inputs import fetch
from efficientmixnet.kubeflow.store import object_store
from efficientmixnet.kubeflow.store.pushed_models import PushedModels
from efficientmixnet.kubeflow.tasks import latest_pushed
from efficientmixnet.kubeflow.tasks.task import Artifact, Task
from efficientmixnet.modules.exceptions import BadInput

SCHEMA = {"schema": Artifact("minio://runs/first/schema")}


@pytest.fixture(params=["store", "volume"])
def pushed(request: pytest.FixtureRequest, store: str, tmp_path: Path) -> PushedModels:
    return PushedModels(f"{store}/pushed" if request.param == "store" else str(tmp_path / "pushed"))


def _push(pushed: PushedModels, tmp_path: Path, name: str) -> str:
    (tmp_path / name).mkdir()
    (tmp_path / name / "saved_model.pb").write_text(name)
    return f"{pushed.folder}/{pushed.push(str(tmp_path / name), f'minio://runs/{name}/model')}"


def _fetched(pushed: PushedModels, folder: Path, inputs: dict[str, Artifact]) -> dict[str, Any]:
    """The input artifacts of a task that gets the model as the input `base_model`."""
    task = Task(inputs, {}, {"pushed": pushed.folder})
    latest_pushed.run(task)
    invocation = {
        "inputs": {"parameterValues": {"base_model": task.values["latest"]}},
        "outputs": {"outputFile": f"{folder}/output.json"},
    }
    how = json.dumps({"base_model": {"folder": "Format-Serving", "like": ""}})
    given = fetch(invocation, how)["inputs"]
    assert given["parameterValues"] == {}
    return dict(given["artifacts"])


def _content(artifacts: dict[str, Any]) -> str:
    return Path(artifacts["base_model"]["artifacts"][0]["uri"], "Format-Serving", "saved_model.pb").read_text()


def test_training_starts_from_the_newest_pushed_model(pushed: PushedModels, tmp_path: Path) -> None:
    assert _fetched(pushed, tmp_path / "0", SCHEMA) == {}
    for name in ("first", "second"):
        place = _push(pushed, tmp_path, name)
        found = _fetched(pushed, tmp_path / f"with-{name}", SCHEMA)
        assert (_content(found), found["base_model"]["artifacts"][0]["name"]) == (name, place)


def test_the_baseline_was_pushed_before_the_candidate(pushed: PushedModels, tmp_path: Path) -> None:
    for name in ("first", "second"):
        _push(pushed, tmp_path, name)
    candidate = {"candidate": Artifact("minio://runs/second/model")}
    assert _content(_fetched(pushed, tmp_path / "fetched", candidate)) == "first"


def test_a_missing_pushed_model_is_named(pushed: PushedModels, tmp_path: Path) -> None:
    place = _push(pushed, tmp_path, "first")
    object_store.remove(place)
    with pytest.raises(BadInput, match=f"{place}: is missing, but an earlier run has recorded it"):
        _fetched(pushed, tmp_path / "fetched", SCHEMA)


def test_a_model_that_is_there_is_not_fetched_again(tmp_path: Path) -> None:
    """The component fetches it for workers that may not access the store."""
    (tmp_path / "root" / "minio" / "runs" / "task" / "fetched" / "base_model").mkdir(parents=True)
    invocation = {
        "inputs": {"parameterValues": {"base_model": "minio://gone/pushed/1"}},
        "outputs": {"outputFile": "minio://runs/task/output.json"},
    }
    how = json.dumps({"base_model": {"folder": "", "like": ""}})
    (artifact,) = fetch(invocation, how, str(tmp_path / "root"))["inputs"]["artifacts"]["base_model"]["artifacts"]
    assert artifact["uri"] == "minio://runs/task/fetched/base_model"
