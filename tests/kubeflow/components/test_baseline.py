"""LatestPushed and Baseline find and fetch a pushed model, for a warm start or as the baseline."""

from pathlib import Path
from typing import Any

import pytest
from tfx.types import standard_artifacts

from efficientmixnet.kubeflow.components.baseline import Baseline_Executor
from efficientmixnet.kubeflow.components.latest_pushed import LatestPushed_Executor
from efficientmixnet.kubeflow.executor import ABSENT
from efficientmixnet.kubeflow.store import object_store
from efficientmixnet.kubeflow.store.pushed_models import PushedModels
from efficientmixnet.modules.exceptions import BadInput


@pytest.fixture(params=["store", "volume"])
def pushed(request: pytest.FixtureRequest, store: str, tmp_path: Path) -> PushedModels:
    return PushedModels(f"{store}/pushed" if request.param == "store" else str(tmp_path / "pushed"))


def _push(pushed: PushedModels, tmp_path: Path, name: str) -> str:
    (tmp_path / name).mkdir()
    (tmp_path / name / "saved_model.pb").write_text(name)
    return f"{pushed.folder}/{pushed.push(str(tmp_path / name), f'minio://runs/{name}/model')}"


def _fetched(pushed: PushedModels, tmp_path: Path, **known: Any) -> standard_artifacts.Model:
    latest, model = standard_artifacts.String(), standard_artifacts.Model()
    latest.uri, model.uri = str(tmp_path / "latest"), str(tmp_path / "fetched")
    LatestPushed_Executor._FUNCTION(latest=latest, pushed=pushed.folder, **known)
    Baseline_Executor._FUNCTION(model=model, latest=latest.read(), **known)
    return model


def _content(model: standard_artifacts.Model) -> str:
    return Path(model.uri, "Format-Serving", "saved_model.pb").read_text()


def test_training_starts_from_the_newest_pushed_model(pushed: PushedModels, tmp_path: Path) -> None:
    schema = standard_artifacts.Schema()
    nothing = _fetched(pushed, tmp_path, schema=schema)
    assert nothing.get_int_custom_property(ABSENT) == 1
    assert not Path(nothing.uri).exists()
    for name in ("first", "second"):
        _push(pushed, tmp_path, name)
        model = _fetched(pushed, tmp_path, schema=schema)
        assert (_content(model), model.get_int_custom_property(ABSENT)) == (name, 0)


def test_the_baseline_was_pushed_before_the_candidate(pushed: PushedModels, tmp_path: Path) -> None:
    candidate = standard_artifacts.Model()
    candidate.uri = "minio://runs/second/model"
    for name in ("first", "second"):
        _push(pushed, tmp_path, name)
    assert _content(_fetched(pushed, tmp_path, candidate=candidate)) == "first"


def test_a_missing_pushed_model_is_named(pushed: PushedModels, tmp_path: Path) -> None:
    place = _push(pushed, tmp_path, "first")
    object_store.remove(place)
    with pytest.raises(BadInput, match=f"{place}: is missing, but an earlier run has recorded it"):
        _fetched(pushed, tmp_path, schema=standard_artifacts.Schema())
