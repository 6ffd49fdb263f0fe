"""The cluster's own tasks need neither TFX nor TensorFlow, and report as the launcher wants it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from efficientmixnet.kubeflow.tasks.task import TASKS, run_task

CODE = """
import json, sys, time
from efficientmixnet.kubeflow import entrypoint
entrypoint.main(sys.argv[1:])
print(json.dumps([time.process_time(), sorted({"tfx", "tensorflow", "kfp"} & sys.modules.keys())]))
"""


@pytest.fixture
def images(tmp_path: Path) -> Path:
    for label in "ab":
        (tmp_path / "images" / label).mkdir(parents=True)
        for number in range(4):
            (tmp_path / "images" / label / f"{number}.png").write_bytes(b"\\x89PNG" + bytes([number]))
    return tmp_path / "images"


def _invocation(tmp_path: Path, images: Path) -> dict[str, Any]:
    parameters = {
        "images": str(images), "manifest": "", "corrections": "", "splits": '{"train": 0.5, "eval": 0.5}',
        "layout": "{}", "split_names": "{}", "group": "", "max_image_bytes": 500000000.0,
    }  # fmt: skip
    outputs = {
        "artifacts": {
            "fingerprint": {"artifacts": [{"name": "fingerprint", "uri": f"{tmp_path}/fingerprint"}]},
            "executor-logs": {"artifacts": [{"name": "executor-logs", "uri": f"{tmp_path}/logs"}]},
        },
        "outputFile": f"{tmp_path}/output.json",
    }
    return {"inputs": {"parameterValues": parameters}, "outputs": outputs}


def test_the_fingerprint_is_reported_as_a_parameter_and_an_artifact(tmp_path: Path, images: Path) -> None:
    report = run_task("data_version", _invocation(tmp_path, images), ["fingerprint"])
    (artifact,) = report["artifacts"]["fingerprint"]["artifacts"]
    assert list(report["artifacts"]) == ["fingerprint"]
    assert (tmp_path / "fingerprint").read_text() == report["parameterValues"]["fingerprint"]
    assert artifact["uri"] == f"{tmp_path}/fingerprint"
    (images / "a" / "0.png").write_bytes(b"longer")
    again = run_task("data_version", _invocation(tmp_path, images), ["fingerprint"])
    assert again["parameterValues"] != report["parameterValues"]


def test_the_fingerprint_changes_with_the_corrections(tmp_path: Path, images: Path) -> None:
    invocation = _invocation(tmp_path, images)
    found = [run_task("data_version", invocation, ["fingerprint"])["parameterValues"]]
    invocation["inputs"]["parameterValues"]["corrections"] = str(tmp_path / "list.csv")
    for label in "ab":
        (tmp_path / "list.csv").write_text(f"path,label\na/0.png,{label}\n")
        found.append(run_task("data_version", invocation, ["fingerprint"])["parameterValues"])
    assert found[0] == found[1] != found[2]


def test_a_task_takes_less_than_three_seconds_and_imports_no_tfx(tmp_path: Path, images: Path) -> None:
    command = [
        sys.executable, "-c", CODE, "--output_artifacts", '["fingerprint"]', "--task", "data_version",
        "--json_serialized_invocation_args", json.dumps(_invocation(tmp_path, images)),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    seconds, imported = json.loads(done.stdout.splitlines()[-1])
    assert imported == []
    assert seconds < 3
    assert json.loads((tmp_path / "output.json").read_text())["parameterValues"]["fingerprint"]


def test_no_task_imports_tfx_or_tensorflow() -> None:
    modules = [f"efficientmixnet.kubeflow.tasks.{name}" for name in TASKS.values()]
    code = f"""
import importlib, sys
for name in {modules}:
    importlib.import_module(name)
print(sorted({{"tfx", "tensorflow", "kfp", "apache_beam"}} & sys.modules.keys()))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout == "[]\n"
