"""Data that grows, in a cluster: the span to read, and the one to compare it with, are found when the tasks run."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from efficientmixnet.kubeflow import object_store
from efficientmixnet.kubeflow.compile import compile_package
from efficientmixnet.kubeflow.rehearse import Outcome, Rehearsal, TaskFailed
from efficientmixnet.pipeline.config import Config
from efficientmixnet.pipeline.digits import write_digits

pytestmark = [pytest.mark.slow, pytest.mark.e2e]

FEW = 20  # pictures of a digit
READING = ("DataVersion", "ImageExampleGen")
COMPARING = (*READING, "StatisticsGen", "SchemaGen", "DataBefore", "PreviousStatistics", "ExampleValidator")


@pytest.fixture
def digits(tmp_path: Path) -> Iterator[Path]:
    """As many of two digits."""
    write_digits(tmp_path / "all")
    for label in "01":
        (tmp_path / "digits" / label).mkdir(parents=True)
        for file in sorted((tmp_path / "all" / label).iterdir())[:FEW]:
            shutil.copy(file, tmp_path / "digits" / label)
    return tmp_path / "digits"


def _package(config: Config, tasks: tuple[str, ...], pictures: str, **data: Any) -> list[dict[str, Any]]:
    """As far as these tasks, each tried once; the store's address is the environment's."""
    values = config.model_dump(mode="json")
    values["data"] |= {"pictures": pictures, "splits": {"train": 0.6, "eval": 0.4}, **data}
    values["kubeflow"] = {key: values["kubeflow"][key] for key in ("image", "pipeline_root")}
    values["kubeflow"]["object_store"] = {"endpoint": os.environ.get("AWS_ENDPOINT_URL")}
    values["kubeflow"]["retries"] = {"count": 0}
    spec, *_ = compile_package(Config.model_validate(values), "oss")
    spec["root"]["dag"]["tasks"] = {name: spec["root"]["dag"]["tasks"][name] for name in tasks}
    return [spec]


def _rehearse(package: list[dict[str, Any]], folder: Path, pictures: str) -> tuple[Rehearsal, dict[str, Outcome]]:
    defaults = package[0]["root"]["inputDefinitions"]["parameters"]
    given = {name: one["defaultValue"] for name, one in defaults.items()} | {"pictures": pictures}
    rehearsal = Rehearsal(package, folder, given, lambda *_: None)
    return rehearsal, rehearsal.run()


@pytest.mark.parametrize("place", ["volume", "store"])
def test_every_run_reads_the_latest_span_in_its_highest_version(
    config: Config, digits: Path, tmp_path: Path, store: str, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if place == "store":
        boto3.client("s3").create_bucket(Bucket="mlpipeline")
        folder = f"{store}/days"
    else:
        monkeypatch.delenv("AWS_ENDPOINT_URL")
        folder = str(tmp_path / "days")
    package = _package(config, READING, f"{folder}/{{YYYY}}-{{MM}}-{{DD}}/v{{VERSION}}")
    pictures = package[0]["root"]["inputDefinitions"]["parameters"]["pictures"]["defaultValue"]

    object_store.upload(str(digits), f"{folder}/2026-01-02/v1")
    rehearsal, outcomes = _rehearse(package, tmp_path / "rehearsal", pictures)
    examples = rehearsal.artifact("ImageExampleGen", "examples")["metadata"]
    assert (examples["span"], examples["version"], examples["pictures_read"]) == (20455, 1, 2 * FEW)  # days since 1970

    again = _rehearse(package, tmp_path / "rehearsal", pictures)[1]
    assert {name: outcome.state for name, outcome in again.items()} == {
        "DataVersion": "done", "ImageExampleGen": "from cache",
    }  # fmt: skip
    assert again["ImageExampleGen"].artifacts == outcomes["ImageExampleGen"].artifacts

    object_store.upload(str(digits), f"{folder}/2026-01-03/v1")
    object_store.upload(str(next((digits / "0").iterdir())), f"{folder}/2026-01-03/v2/0/one.png")
    object_store.upload(str(digits / "1"), f"{folder}/2026-01-03/v2/1")
    rehearsal, _ = _rehearse(package, tmp_path / "rehearsal", pictures)
    examples = rehearsal.artifact("ImageExampleGen", "examples")["metadata"]
    assert (examples["span"], examples["version"], examples["pictures_read"]) == (20456, 2, FEW + 1)


@pytest.mark.usefixtures("store")
def test_a_span_that_drifted_from_the_one_before_ends_the_run(config: Config, digits: Path, tmp_path: Path) -> None:
    boto3.client("s3").create_bucket(Bucket="mlpipeline")
    days = tmp_path / "days"
    pictures = f"{days}/day-{{SPAN}}"
    package = _package(config, COMPARING, pictures, drift={"image/class/text": 0.2})
    noted = package[0]["root"]["dag"]["tasks"]["DataBefore"]["inputs"]["parameters"]["records"]["runtimeValue"]
    assert noted == {"constant": "minio://mlpipeline/efficientmixnet/data/digits"}

    shutil.copytree(digits, days / "day-1")
    _, outcomes = _rehearse(package, tmp_path / "rehearsal", pictures)
    assert outcomes["ExampleValidator"].state == "done"

    shutil.copytree(digits / "0", days / "day-2" / "0")
    for file in sorted((digits / "1").iterdir())[:4]:
        (days / "day-2" / "1").mkdir(parents=True, exist_ok=True)
        shutil.copy(file, days / "day-2" / "1")
    with pytest.raises(
        TaskFailed, match=r"the data has changed: image/class/text moved by 0\.\d+ since the data before"
    ):
        _rehearse(package, tmp_path / "rehearsal", pictures)
