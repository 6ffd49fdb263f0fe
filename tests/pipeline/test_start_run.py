"""Tests of efficientmixnet.run: its arguments, its result, and what libraries see of the user's program."""

import sys
from pathlib import Path
from typing import Any

import pytest

import efficientmixnet.pipeline.start_run as subject
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.pipeline.config.config import Config
from efficientmixnet.pipeline.runs.run_summary import Summary
from efficientmixnet.pipeline.start_run import run


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Replaces the pipeline. Each call is recorded with its configuration, its options and sys.argv."""
    found: list[Any] = []

    def run_locally(config: Config, **options: bool) -> Summary:
        found.append((config, options, list(sys.argv)))
        folders = {"run": "/runs/runs/1", "report": "/runs/runs/1/report.html", "pushed_model": "/runs/pushed/7"}
        return Summary(
            state="pushed", reason="good", blessed=True, started="2026-01-02", metrics={"accuracy": 0.9}, **folders
        )

    monkeypatch.setattr("efficientmixnet.pipeline.local.local_runner.run", run_locally)
    return found


def test_sections_and_paths_become_the_configuration(calls: list[Any], tmp_path: Path) -> None:
    file = tmp_path / "my.yaml"
    file.write_text("training: {epochs: 5, batch_size: 8}\noutput: elsewhere\n")
    run(tmp_path / "photos", tmp_path / "runs", file, training={"epochs": 20}, overrides=["network.norm=an"])
    ((config, options, _),) = calls
    assert (config.data.images, config.output) == (str(tmp_path / "photos"), str(tmp_path / "runs"))
    assert (config.training.epochs, config.training.batch_size) == (20, 8)
    assert config.network.norm.kind == "an"
    assert options == {"verbose": False, "use_cache": True, "live": False}


def test_paths_in_sections_may_be_path_objects(calls: list[Any], tmp_path: Path) -> None:
    done = run(images=tmp_path)
    data = {"manifest": done.folder / "relabel.csv", "layout": {"label_names": tmp_path / "names.txt"}}
    run(images=tmp_path, data=data, network={"weights": done.pushed_model}, overrides="training.epochs=20")
    config = calls[-1][0]
    assert config.data.manifest == "/runs/runs/1/relabel.csv"
    assert config.data.layout.label_names == str(tmp_path / "names.txt")
    assert config.network.weights == "/runs/pushed/7"
    assert config.training.epochs == 20


def test_paths_in_mappings_and_lists_may_be_path_objects(calls: list[Any], tmp_path: Path) -> None:
    """A file of splits, and the paths of a cluster, which a configuration for both has."""
    volume = {"claim": "images", "path": Path("/mnt"), "sub_path": Path("a/b")}
    secret = {"name": "a", "path": Path("/keys")}
    kubeflow = {"volumes": [volume], "secrets": [secret], "pushed": Path("/mnt/pushed"), "checkpoints": Path("/mnt/c")}
    split_files = {"train": Path("photos/train"), "eval": Path("val-*")}
    run(images=tmp_path, data={"layout": {"split_files": split_files}}, kubeflow=kubeflow)
    config = calls[-1][0]
    assert config.data.layout.split_files == {"train": "photos/train", "eval": "val-*"}
    (mounted,), (given,) = config.kubeflow.volumes, config.kubeflow.secrets
    assert (mounted.path, mounted.sub_path, given.path) == ("/mnt", "a/b", "/keys")
    assert (config.kubeflow.pushed, config.kubeflow.checkpoints) == ("/mnt/pushed", "/mnt/c")


def test_the_result_has_the_metrics_and_paths_of_the_summary(calls: list[Any], tmp_path: Path) -> None:
    done = run(images=tmp_path)
    assert (done.metrics, done.blessed, done.reason) == ({"accuracy": 0.9}, True, "good")
    assert done.pushed_model == Path("/runs/pushed/7")
    assert done.report == Path("/runs/runs/1/report.html")
    assert done.folder == Path("/runs/runs/1")


def test_libraries_do_not_see_the_arguments_of_the_users_program(
    calls: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["mine.py", "-v", "--runner=x"])
    run(images=tmp_path)
    assert calls[0][2] == ["mine.py"]
    assert sys.argv == ["mine.py", "-v", "--runner=x"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "nothing to run; give images or a configuration"),
        ({"images": ".", "training": {"epoch": 3}}, "training.epoch"),
        ({"images": ".", "trainin": {"epochs": 3}}, "trainin"),
        ({"images": ".", "data": {"manifest": 3}}, "data.manifest: should be a valid string, not 3"),
        ({"images": ".", "overrides": "training.epochs"}, "--set training.epochs: give section.key=value"),
        ({"images": ".", "overrides": {"training.epochs": 3}}, "--set training.epochs: give section.key=value"),
        ({"images": ".", "overrides": None}, "^overrides: None is not text; give keys such as 'training.epochs=20'$"),
        ({"images": ".", "overrides": [3]}, "^overrides: 3 is not text"),
        ({"images": ["a", "b"]}, "^images: is of type list; give a path, as text or as a path object$"),
        ({"images": ".", "output": 3}, "^output: is of type int; give a path"),
        ({"config": {"training": {"epochs": 3}}}, "^config: is of type dict; give a path"),
        ({"images": ".", "training": 3}, "training: should be a section with keys, not 3"),
    ],
)
def test_mistakes_are_named(calls: list[Any], arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        run(**arguments)
    assert calls == []


def test_the_package_has_the_names_of_the_python_api() -> None:
    import efficientmixnet

    assert efficientmixnet.run is subject.run
    assert efficientmixnet.__version__ == "0.1.0"
    assert {"run", "load"} <= set(dir(efficientmixnet))
    with pytest.raises(AttributeError, match="has no attribute 'train'"):
        efficientmixnet.train  # noqa: B018
