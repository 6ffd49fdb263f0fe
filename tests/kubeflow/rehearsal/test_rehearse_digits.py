"""A whole package runs with an S3 server as its store, one task is killed, and later runs use the cache."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from moto.server import ThreadedMotoServer

from efficientmixnet.pipeline.commands.digits import write_digits
from efficientmixnet.pipeline.config.config import Config

pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.timeout(7200)]


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    """The environment of the commands. It names an object store with an empty bucket."""
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    store = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "user",
        "AWS_SECRET_ACCESS_KEY": "password",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    os.environ.update(store)
    boto3.client("s3").create_bucket(Bucket="mlpipeline")
    # Tools that show folders in a bucket leave such markers.
    boto3.client("s3").put_object(Bucket="mlpipeline", Key="efficientmixnet/", Body=b"")
    yield {**os.environ, **store}
    server.stop()
    for name in store:
        del os.environ[name]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, config: Config) -> Path:
    folder = tmp_path_factory.mktemp("rehearsal")
    write_digits(folder / "digits")
    values: dict[str, Any] = config.model_dump(mode="json")
    values["data"]["images"] = str(folder / "digits")
    values["kubeflow"] = {key: values["kubeflow"][key] for key in ("image", "pipeline_root")}
    (folder / "digits.yaml").write_text(yaml.safe_dump(values))
    return folder


def _run(environment: dict[str, str], *arguments: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", "from efficientmixnet.pipeline.cli import main; main()", *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603


def _states(output: str) -> dict[str, str]:
    return dict(re.findall(r"^(\w+) +(done|from cache|failed) +\d", output, flags=re.MULTILINE))


def _kill_the_first_trainer(output: Path, killed: list[str]) -> None:
    for _ in range(36_000):
        for file in output.glob("runs/*/Trainer-0/pid"):
            time.sleep(2)
            os.kill(int(file.read_text()), signal.SIGKILL)
            killed.append(file.parent.name)
            return
        time.sleep(0.1)


@pytest.fixture(scope="module")
def first(folder: Path, environment: dict[str, str]) -> str:
    """The output of the first run. Its first Trainer process is killed."""
    compiled = _run(environment, "kubeflow", "compile", folder / "digits.yaml", "-o", folder / "first.yaml")
    assert compiled.returncode == 0, compiled.stderr
    killed: list[str] = []
    threading.Thread(target=_kill_the_first_trainer, args=(folder / "output", killed), daemon=True).start()
    done = _run(environment, "kubeflow", "rehearse", folder / "first.yaml", "--output", folder / "output")
    assert done.returncode == 0, done.stdout + done.stderr
    assert killed == ["Trainer-0"]
    return done.stdout


def test_every_task_runs_and_the_killed_task_is_retried(first: str, folder: Path) -> None:
    assert set(_states(first).values()) == {"done"}
    assert {"DataVersion", "Trainer", "Evaluator", "Pusher"} <= set(_states(first))
    assert len(list((folder / "output").glob("runs/*/Trainer-1/log.txt"))) == 1
    assert len(list((folder / "output").glob("runs/*/*-1"))) == 1


def test_the_page_of_the_run_has_all_that_it_draws(first: str) -> None:
    drawn = re.findall(r"^drawn: (\S+)", first, flags=re.MULTILINE)
    assert set(drawn) == {
        *("StatisticsGen.data_page", "Evaluator.page", "Evaluator.metrics", "Evaluator.classes", "Pusher.card"),
    }
    assert "not drawn" not in first


def test_the_model_is_pushed_to_the_store(first: str, environment: dict[str, str]) -> None:
    (version,) = re.findall(r"pushed model +minio://mlpipeline/efficientmixnet/pushed/(\d+)", first)
    keys = [
        item.key for item in boto3.resource("s3").Bucket("mlpipeline").objects.filter(Prefix="efficientmixnet/pushed")
    ]
    assert f"efficientmixnet/pushed/{version}/saved_model.pb" in keys
    assert f"efficientmixnet/pushed/records/{version}.json" in keys
    card = boto3.resource("s3").Object("mlpipeline", f"efficientmixnet/pushed/{version}/MODEL_CARD.md")
    assert card.get()["Body"].read().decode().startswith(f"# digits {version}\n")
    assert f"efficientmixnet/pushed/{version}/model_card.html" in keys


def test_an_unchanged_run_runs_only_the_lookups_and_the_push(
    first: str, folder: Path, environment: dict[str, str]
) -> None:
    done = _run(environment, "kubeflow", "rehearse", folder / "first.yaml", "--output", folder / "output")
    assert done.returncode == 0, done.stdout + done.stderr
    states = _states(done.stdout)
    ran = {name for name, state in states.items() if state == "done"}
    assert ran == {"DataVersion", "LatestPushed", "Pusher"}
    pushed = re.compile(r"pushed model +(\S+)")
    assert pushed.findall(done.stdout) == pushed.findall(first)


def test_a_run_with_other_training_settings_reuses_the_data_and_has_the_first_model_as_its_baseline(
    first: str, folder: Path, environment: dict[str, str]
) -> None:
    compiled = _run(
        environment, "kubeflow", "compile", folder / "digits.yaml", "-o", folder / "second.yaml",
        "--set", "training.epochs=5",
    )  # fmt: skip
    assert compiled.returncode == 0, compiled.stderr
    done = _run(environment, "kubeflow", "rehearse", folder / "second.yaml", "--output", folder / "output")
    assert done.returncode == 0, done.stdout + done.stderr
    states = _states(done.stdout)
    for name in ("ImageExampleGen", "StatisticsGen", "Transform"):
        assert states[name] == "from cache"
    for name in ("Trainer", "LatestPushed", "Evaluator", "Pusher"):
        assert states[name] == "done"
    baselines = sorted((folder / "output").glob("runs/*/Evaluator-0/root/minio/mlpipeline/**/fetched/baseline_model"))
    assert any((baseline / "Format-Serving" / "saved_model.pb").is_file() for baseline in baselines)
