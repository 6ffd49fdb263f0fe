"""Growing data in a cluster: the tasks find the latest span and the earlier ones when they run."""

import copy
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import tensorflow as tf

from efficientmixnet.kubeflow.package.compile import compile_package
from efficientmixnet.kubeflow.rehearsal.driver import Outcome
from efficientmixnet.kubeflow.rehearsal.rehearsal import Rehearsal
from efficientmixnet.kubeflow.store import object_store
from efficientmixnet.modules.exceptions import TaskFailed
from efficientmixnet.pipeline.commands.digits import write_digits
from efficientmixnet.pipeline.config.config import Config

pytestmark = [pytest.mark.slow, pytest.mark.e2e]

FEW = 20  # images per digit
READING = ("DataVersion", "ImageExampleGen")
DESCRIBING = (*READING, "StatisticsGen", "DataBefore", "SchemaGen")  # SchemaGen's pod runs ExampleValidator
LEARNING = (*DESCRIBING, "LatestSpans", "Transform", "PushedBefore", "Trainer")
CHECKING = (*LEARNING, "LatestPushed", "Evaluator", "ServingCheck")


@pytest.fixture
def digits(tmp_path: Path) -> Iterator[Path]:
    """FEW images of each of two digits."""
    write_digits(tmp_path / "all")
    for label in "01":
        (tmp_path / "digits" / label).mkdir(parents=True)
        for file in sorted((tmp_path / "all" / label).iterdir())[:FEW]:
            shutil.copy(file, tmp_path / "digits" / label)
    return tmp_path / "digits"


def _package(config: Config, tasks: tuple[str, ...], images: str, **sections: dict[str, Any]) -> list[dict[str, Any]]:
    """A package of these tasks only, without retries. The environment names the store."""
    values = config.model_dump(mode="json")
    values["data"] |= {"images": images, "splits": {"train": 0.6, "eval": 0.4}}
    values["kubeflow"] = {key: values["kubeflow"][key] for key in ("image", "pipeline_root")}
    for section, keys in sections.items():
        values[section] |= keys
    values["kubeflow"]["object_store"] = {"endpoint": os.environ.get("AWS_ENDPOINT_URL")}
    values["kubeflow"]["retries"] = {"count": 0}
    spec, *_ = compile_package(Config.model_validate(values), "oss")
    return _only(tasks, [spec])


def _only(tasks: tuple[str, ...], package: list[dict[str, Any]]) -> list[dict[str, Any]]:
    spec = copy.deepcopy(package[0])
    spec["root"]["dag"]["tasks"] = {name: spec["root"]["dag"]["tasks"][name] for name in tasks}
    return [spec]


def _rehearse(package: list[dict[str, Any]], folder: Path, images: str) -> tuple[Rehearsal, dict[str, Outcome]]:
    defaults = package[0]["root"]["inputDefinitions"]["parameters"]
    given = {name: one["defaultValue"] for name, one in defaults.items()} | {"images": images}
    rehearsal = Rehearsal(package, folder, given, lambda *_: None)
    return rehearsal, rehearsal.run()


@pytest.mark.parametrize("place", ["volume", "store"])
def test_every_run_reads_the_highest_version_of_the_latest_span(
    config: Config, digits: Path, tmp_path: Path, store: str, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if place == "store":
        boto3.client("s3").create_bucket(Bucket="mlpipeline")
        folder = f"{store}/days"
    else:
        monkeypatch.delenv("AWS_ENDPOINT_URL")
        folder = str(tmp_path / "days")
    package = _package(config, READING, f"{folder}/{{YYYY}}-{{MM}}-{{DD}}/v{{VERSION}}")
    images = package[0]["root"]["inputDefinitions"]["parameters"]["images"]["defaultValue"]

    object_store.upload(str(digits), f"{folder}/2026-01-02/v1")
    rehearsal, outcomes = _rehearse(package, tmp_path / "rehearsal", images)
    examples = rehearsal.artifact("ImageExampleGen", "examples")["metadata"]
    assert (examples["span"], examples["version"], examples["images_read"]) == (20455, 1, 2 * FEW)  # days since 1970

    again = _rehearse(package, tmp_path / "rehearsal", images)[1]
    assert {name: outcome.state for name, outcome in again.items()} == {
        "DataVersion": "done", "ImageExampleGen": "from cache",
    }  # fmt: skip
    assert again["ImageExampleGen"].artifacts == outcomes["ImageExampleGen"].artifacts

    object_store.upload(str(digits), f"{folder}/2026-01-03/v1")
    object_store.upload(str(next((digits / "0").iterdir())), f"{folder}/2026-01-03/v2/0/one.png")
    object_store.upload(str(digits / "1"), f"{folder}/2026-01-03/v2/1")
    rehearsal, _ = _rehearse(package, tmp_path / "rehearsal", images)
    examples = rehearsal.artifact("ImageExampleGen", "examples")["metadata"]
    assert (examples["span"], examples["version"], examples["images_read"]) == (20456, 2, FEW + 1)


@pytest.mark.usefixtures("store")
def test_a_span_with_drift_stops_the_run(config: Config, digits: Path, tmp_path: Path) -> None:
    boto3.client("s3").create_bucket(Bucket="mlpipeline")
    days = tmp_path / "days"
    images = f"{days}/day-{{SPAN}}"
    package = _package(config, DESCRIBING, images, data={"drift": {"image/class/text": 0.2}})
    noted = package[0]["root"]["dag"]["tasks"]["DataBefore"]["inputs"]["parameters"]["records"]["runtimeValue"]
    assert noted == {"constant": "minio://mlpipeline/efficientmixnet/data/digits"}

    shutil.copytree(digits, days / "day-1")
    _, outcomes = _rehearse(package, tmp_path / "rehearsal", images)
    assert outcomes["SchemaGen"].state == "done"

    shutil.copytree(digits / "0", days / "day-2" / "0")
    for file in sorted((digits / "1").iterdir())[:4]:
        (days / "day-2" / "1").mkdir(parents=True, exist_ok=True)
        shutil.copy(file, days / "day-2" / "1")
    with pytest.raises(
        TaskFailed, match=r"the data has changed: image/class/text differs by 0\.\d+ from the previous data"
    ):
        _rehearse(package, tmp_path / "rehearsal", images)


@pytest.mark.usefixtures("store")
def test_a_second_run_trains_on_both_spans_and_starts_from_the_pushed_model(
    config: Config, digits: Path, tmp_path: Path
) -> None:
    """The second span's images have the same names as the first span's. Only their bytes differ."""
    boto3.client("s3").create_bucket(Bucket="mlpipeline")
    days, pushed = tmp_path / "days", "minio://runs/pushed"
    images = f"{days}/day-{{SPAN}}"
    package = _package(
        config,
        (*CHECKING, "Pusher"),
        images,
        data={"training_spans": 2},
        network={"weights": "latest"},
        training={"epochs": 1},
        evaluation={"thresholds": {"accuracy": 0.0}, "tolerances": {"accuracy": 1.0}},
        kubeflow={"pushed": pushed},
    )

    shutil.copytree(digits, days / "day-1")
    first, _ = _rehearse(package, tmp_path / "rehearsal", images)
    assert _transformed(first, tmp_path / "of-first") == 2 * FEW
    assert "no model is blessed yet: starts from random weights" in _log(first, "Trainer")

    for label in "01":
        (days / "day-2" / label).mkdir(parents=True)
        others = sorted((tmp_path / "all" / label).iterdir())[FEW:]
        for file, other in zip(sorted((digits / label).iterdir()), others, strict=False):
            shutil.copy(other, days / "day-2" / label / file.name)
    package = _only(CHECKING, package)
    second, _ = _rehearse(package, tmp_path / "rehearsal", images)
    assert second.artifact("ImageExampleGen", "examples")["metadata"]["images_read"] == 2 * FEW
    assert _transformed(second, tmp_path / "of-both") == 4 * FEW
    assert "starts from the latest blessed model" in _log(second, "Trainer")
    (version,) = {file.name.partition("/")[0] for file in object_store.files(pushed)} - {"records"}
    (start,) = (second.folder / "runs" / second.run_id).glob("Trainer-0/root/**/fetched/base_model/Format-Serving")
    object_store.download(f"{pushed}/{version}", str(tmp_path / "pushed"))
    network = "assets.extra/network.keras"
    assert (start / network).read_bytes() == (tmp_path / "pushed" / network).read_bytes()

    _, again = _rehearse(package, tmp_path / "rehearsal", images)
    assert {name for name, outcome in again.items() if outcome.state == "done"} == {
        "DataVersion", "DataBefore", "PushedBefore", "LatestPushed",
    }  # fmt: skip


def _transformed(rehearsal: Rehearsal, folder: Path) -> int:
    """The number of records that Transform wrote."""
    object_store.download(rehearsal.artifact("Transform", "transformed_examples")["uri"], str(folder))
    files = [str(file) for file in folder.glob("Split-*/*")]
    return sum(1 for _ in tf.data.TFRecordDataset(files, compression_type="GZIP"))


def _log(rehearsal: Rehearsal, task: str) -> str:
    return (rehearsal.folder / "runs" / rehearsal.run_id / f"{task}-0" / "log.txt").read_text()
