"""ModelCard writes the card into the pushed model's folder, and never overwrites one."""

import json
from pathlib import Path
from typing import Any

import pytest
from tfx.types import standard_artifacts

from efficientmixnet.kubeflow.components import model_card
from efficientmixnet.kubeflow.store import object_store


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs the component for a model pushed to a folder, and returns the card in the artifact."""

    def texts(content: dict[str, Any], run: dict[str, Any], version: str) -> tuple[str, str]:
        assert run["versions"]["tfx"]
        return f"# {content['name']} {version}", "<html>"

    monkeypatch.setattr(model_card, "model_card", texts)
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "content.json").write_text(json.dumps({"name": "digits"}))

    def call(folder: str | None) -> str:
        report, pushed, card = (
            standard_artifacts.InferenceResult(), standard_artifacts.PushedModel(), standard_artifacts.String(),
        )  # fmt: skip
        report.uri, card.uri = str(tmp_path / "report"), str(tmp_path / "card")
        if folder:
            pushed.set_string_custom_property("pushed_destination", folder)
        model_card.ModelCard_Executor._FUNCTION(report=report, pushed_model=pushed, card=card)
        return card.read()

    return call


@pytest.mark.parametrize("place", ["store", "volume"])
def test_the_card_is_written_into_the_models_folder_unless_there_is_one(
    write: Any, store: str, tmp_path: Path, place: str
) -> None:
    folder = f"{store}/pushed/17" if place == "store" else str(tmp_path / "pushed" / "17")
    object_store.write_text(f"{folder}/MODEL_CARD.md", "edited")
    assert write(folder) == "# digits 17"
    assert object_store.read_text(f"{folder}/MODEL_CARD.md") == "edited"
    assert object_store.read_text(f"{folder}/model_card.html") == "<html>"
    object_store.remove(f"{folder}/MODEL_CARD.md")
    write(folder)
    assert object_store.read_text(f"{folder}/MODEL_CARD.md") == "# digits 17"


def test_a_model_that_was_not_pushed_has_no_card(write: Any) -> None:
    assert write(None) == "the model was not pushed, so it has no card"
