"""Fixtures: a configuration, and a stub that replaces the pipeline."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from stub_pipeline import Pipeline

from efficientmixnet.pipeline.config.config import Config
from efficientmixnet.pipeline.local import local_runner
from efficientmixnet.pipeline.runs.run_summary import Summary


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """Two classes in both splits. The files are not images, and the output folder does not exist."""
    for name in ("train/cat", "train/dog", "eval/cat", "eval/dog"):
        (tmp_path / "images" / name).mkdir(parents=True)
        (tmp_path / "images" / name / "1.png").write_text("image")
    layout = {"split_files": {"train": "train", "eval": "eval"}}
    data = {"images": str(tmp_path / "images"), "layout": layout}
    return Config.model_validate({"output": str(tmp_path / "some" / "runs"), "data": data})


@pytest.fixture
def pipeline(monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """Replaces the pipeline by a function. The model is not blessed."""

    def replace(does: Callable[[], None]) -> None:
        monkeypatch.setattr(local_runner, "_run_pipeline", lambda *_: does())

    def summarize(config: Config, folder: Path, facts: dict[str, Any]) -> Summary:
        return Summary(state="not_blessed", reason="by a stand-in", **facts)

    monkeypatch.setattr(local_runner, "_summarize", summarize)
    monkeypatch.setattr(local_runner, "_folders", lambda _: [])
    return replace
