"""Pusher pushes a blessed model with its card, never overwrites a card, and says how the run ended."""

import json
from pathlib import Path
from typing import Any, ClassVar

import pytest

from efficientmixnet.kubeflow.launcher_paths import ROOT_VARIABLE
from efficientmixnet.kubeflow.registry.registration import Registration
from efficientmixnet.kubeflow.run_result import RunResult, find_result
from efficientmixnet.kubeflow.store import object_store
from efficientmixnet.kubeflow.tasks import pusher
from efficientmixnet.kubeflow.tasks.task import Artifact, Task
from efficientmixnet.modules.exceptions import ServerUnavailable

BLESSED = {"blessed": True, "reason": "accuracy 0.9722 >= 0.5", "metrics": {"accuracy": 0.9722}, "intervals": {}}
REFUSED = {"blessed": False, "reason": "accuracy 0.4 is below 0.5", "metrics": {"accuracy": 0.4}, "intervals": {}}


@pytest.fixture
def push(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs the task for a verdict and a folder of pushed models."""

    def texts(content: dict[str, Any], run: dict[str, Any], version: str) -> tuple[str, str]:
        assert run["versions"]["tfx"]
        return f"# {content['name']} {version}", "<html>"

    monkeypatch.setattr(pusher, "model_card", texts)
    for folder in ("report", "model/Format-Serving"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "model" / "Format-Serving" / "saved_model.pb").write_text("weights")

    def call(verdict: dict[str, Any], folder: str, registers: bool = False) -> Task:
        (tmp_path / "report" / "content.json").write_text(json.dumps({"name": "digits", "verdict": verdict}))
        extra = {"model_registry": "http://registry", "volumes": "{}", "images": "/images", "manifest": ""}
        task = Task(
            {
                "report": Artifact(str(tmp_path / "report")),
                "model": Artifact(str(tmp_path / "model")),
                "model_blessing": Artifact("", {"blessed": float(verdict["blessed"])}),
            },
            {"pushed_model": Artifact(str(tmp_path / "pushed_model")), "card": Artifact(str(tmp_path / "card.md"))},
            {"pushed": folder, **(extra if registers else {})},
        )
        pusher.run(task)
        return task

    return call


@pytest.mark.parametrize("place", ["store", "volume"])
def test_the_card_is_written_next_to_the_model_unless_there_is_one(
    push: Any, store: str, tmp_path: Path, place: str
) -> None:
    folder = f"{store}/pushed" if place == "store" else str(tmp_path / "pushed")
    properties = push(BLESSED, folder).outputs["pushed_model"].properties
    pushed, version = properties["pushed_destination"], properties["pushed_version"]
    assert (properties["pushed"], pushed) == (1, f"{folder}/{version}")
    assert object_store.read_text(f"{pushed}/saved_model.pb") == "weights"
    assert object_store.read_text(f"{pushed}/MODEL_CARD.md") == f"# digits {version}"
    object_store.write_text(f"{pushed}/MODEL_CARD.md", "edited")
    assert push(BLESSED, folder).outputs["pushed_model"].properties == properties
    assert object_store.read_text(f"{pushed}/MODEL_CARD.md") == "edited"
    assert object_store.read_text(f"{pushed}/model_card.html") == "<html>"
    assert (tmp_path / "card.md").read_text() == f"# digits {version}"


def test_a_refused_model_is_not_pushed(push: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert push(REFUSED, str(tmp_path / "pushed")).outputs["pushed_model"].properties == {"pushed": 0}
    assert not (tmp_path / "pushed").exists()
    assert "not blessed" in (tmp_path / "card.md").read_text()
    said = capsys.readouterr().out
    assert "result        not blessed: accuracy 0.4 is below 0.5\n" in said
    assert find_result(said) == RunResult(
        False, "accuracy 0.4 is below 0.5", 0.4, report=f"{tmp_path}/report/report.html"
    )


class Registry:
    """Takes the place of ModelRegistry."""

    registered: ClassVar[list[Registration]] = []
    is_away: ClassVar[bool] = False

    def __init__(self, url: str) -> None:
        assert url == "http://registry"

    def register(self, one: Registration) -> str:
        if self.is_away:
            raise ServerUnavailable("kubeflow.model_registry: http://registry does not answer")
        self.registered.append(one)
        return "7"


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> type[Registry]:
    monkeypatch.setattr(Registry, "registered", [])
    monkeypatch.setattr(Registry, "is_away", False)
    monkeypatch.setattr(pusher, "ModelRegistry", Registry)
    monkeypatch.setattr(
        pusher,
        "registration_of",
        lambda content, images, place, uri, model, *_: Registration("digits", model, uri, place),
    )
    return Registry


def test_a_pushed_model_is_registered_and_the_result_says_so(
    push: Any, store: str, tmp_path: Path, registry: type[Registry], capsys: pytest.CaptureFixture[str]
) -> None:
    task = push(BLESSED, f"{store}/pushed", registers=True)
    place = task.outputs["pushed_model"].properties["pushed_destination"]
    uri = place.replace("minio://", "s3://")
    assert registry.registered == [Registration("digits", str(tmp_path / "model"), uri, place)]
    found = find_result(capsys.readouterr().out)
    assert found is not None
    assert found.registered == f"digits {tmp_path}/model in http://registry, version 7"


def test_a_model_stays_pushed_if_the_registry_is_away_and_the_next_run_registers_it(
    push: Any, tmp_path: Path, registry: type[Registry], capsys: pytest.CaptureFixture[str]
) -> None:
    registry.is_away = True
    with pytest.raises(ServerUnavailable, match="does not answer"):
        push(BLESSED, str(tmp_path / "pushed"), registers=True)
    (version,) = (one for one in (tmp_path / "pushed").iterdir() if one.name.isdecimal())
    assert f"the model was pushed to {version}, but not registered; the next run will" in capsys.readouterr().out
    registry.is_away = False
    push(BLESSED, str(tmp_path / "pushed"), registers=True)
    assert [one.uri for one in registry.registered] == [str(version)]


def test_a_rehearsal_does_not_register(
    push: Any, tmp_path: Path, registry: type[Registry], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ROOT_VARIABLE, str(tmp_path / "root"))
    push(BLESSED, str(tmp_path / "pushed"), registers=True)
    assert registry.registered == []


def test_a_refused_model_is_not_registered(push: Any, tmp_path: Path, registry: type[Registry]) -> None:
    push(REFUSED, str(tmp_path / "pushed"), registers=True)
    assert registry.registered == []


def test_a_line_that_is_not_a_result_is_ignored() -> None:
    assert find_result("nothing") is None
    assert find_result("result: {}") is None
    assert find_result('result: {"blessed": "perhaps", "reason": 1}') is None
