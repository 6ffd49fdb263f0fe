"""Inputs and outputs are converted between the launcher of Kubeflow Pipelines and TFX. SENT is from a real launcher."""

import copy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from efficientmixnet.kubeflow.executor import globalize, localize
from efficientmixnet.kubeflow.launcher_paths import ROOT_VARIABLE, to_path, to_uri
from efficientmixnet.kubeflow.store import object_store
from efficientmixnet.modules.exceptions import BadInput

RUN = "minio://mlpipeline/root/digits/5f0c"
MODEL = {"instanceSchema": "title: tfx.Model\ntype: object\n"}
# Inputs have no type and only floating-point numbers. There is one output that the component does not declare.
SENT: dict[str, Any] = {
    "inputs": {
        "parameterValues": {"eval_config": "{}", "fairness": 1.0},
        "artifacts": {
            "model": {"artifacts": [{"name": "7", "uri": f"{RUN}/Trainer/1/model", "metadata": {"blessed": 1.0}}]},
            "baseline_model": {"artifacts": [{"name": "8", "uri": f"{RUN}/Baseline/1/model", "metadata": {}}]},
        },
    },
    "outputs": {
        "artifacts": {
            "blessing": {"artifacts": [{"name": "blessing", "uri": f"{RUN}/Evaluator/1/blessing", "type": MODEL}]},
            "executor-logs": {
                "artifacts": [{"uri": f"{RUN}/Evaluator/1/executor-logs-0", "type": {"schemaTitle": "system.Artifact"}}]
            },
        },
        "outputFile": "/minio/mlpipeline/root/digits/5f0c/Evaluator/1/output_metadata.json",
    },
}
SPEC = {"artifacts": {"model": {"artifactType": MODEL}, "baseline_model": {"artifactType": MODEL}}}


def test_undeclared_outputs_are_removed() -> None:
    assert list(localize(SENT, SPEC, ["blessing"])["outputs"]["artifacts"]) == ["blessing"]


def test_inputs_get_types_and_paths() -> None:
    (model,) = localize(SENT, SPEC, ["blessing"])["inputs"]["artifacts"]["model"]["artifacts"]
    assert model == {
        "name": "7",
        "uri": "/minio/mlpipeline/root/digits/5f0c/Trainer/1/model",
        "type": MODEL,
        "metadata": {"blessed": 1.0},
    }


def test_parameters_and_the_reports_path_are_unchanged() -> None:
    task = localize(SENT, SPEC, ["blessing"])
    assert task["inputs"]["parameterValues"] == {"eval_config": "{}", "fairness": 1.0}
    assert task["outputs"]["outputFile"] == SENT["outputs"]["outputFile"]
    assert task["outputs"]["artifacts"]["blessing"]["artifacts"][0]["type"] == MODEL


def test_a_report_has_no_paths_of_the_launcher_and_no_made_up_ids() -> None:
    fetched = "/minio/mlpipeline/root/digits/5f0c/Evaluator/1/fetched/baseline_model"
    metadata = {
        "current_model": "/minio/mlpipeline/root/digits/5f0c/Trainer/1/model",
        "baseline_model": fetched,
        "current_model_id": 1.2973e18,
        "reason": "/minio is no URI here",
    }
    report = {"artifacts": {"blessing": {"artifacts": [{"uri": "/minio/a/b", "metadata": metadata}]}}}
    places = {fetched: "minio://mlpipeline/pushed/17"}
    assert globalize(report, places)["artifacts"]["blessing"]["artifacts"][0]["metadata"] == {
        "current_model": f"{RUN}/Trainer/1/model",
        "baseline_model": "minio://mlpipeline/pushed/17",
        "reason": "/minio is no URI here",
    }


def test_a_task_may_have_no_inputs() -> None:
    assert localize({"outputs": SENT["outputs"]}, {}, ["blessing"])["inputs"] == {"artifacts": {}}


def test_the_report_has_uris_and_no_empty_properties() -> None:
    report = {
        "artifacts": {
            "blessing": {
                "artifacts": [
                    {
                        "uri": "/minio/mlpipeline/root/digits/5f0c/Evaluator/1/blessing",
                        "metadata": {"blessed": 1.0, "baseline_model": None},
                    }
                ]
            }
        },
        "parameterValues": {"latest": "none"},
    }
    assert globalize(report) == {
        "artifacts": {
            "blessing": {"artifacts": [{"uri": f"{RUN}/Evaluator/1/blessing", "metadata": {"blessed": 1.0}}]}
        },
        "parameterValues": {"latest": "none"},
    }


@pytest.mark.parametrize(
    ("uri", "path"),
    [("gs://b/k", "/gcs/b/k"), ("s3://b/k", "/s3/b/k"), ("minio://b/k/l", "/minio/b/k/l"), ("/mnt/k", "/mnt/k")],
)
def test_paths_and_uris_convert_both_ways(uri: str, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (to_path(uri), to_uri(path)) == (path, uri)
    if uri != path:
        monkeypatch.setenv(ROOT_VARIABLE, "/rehearsal")
        assert (to_path(uri), to_uri(f"/rehearsal{path}")) == (f"/rehearsal{path}", uri)


def test_the_launchers_store_is_used_unless_the_environment_names_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(object_store, "_session", {})
    monkeypatch.setattr(object_store, "_secret", lambda name: {"accesskey": f"{name}-user", "secretkey": "pw"}.get)
    session = (
        '{"Provider":"minio","Params":{"accessKeyKey":"accesskey","disableSSL":"true","endpoint":"store.kubeflow:9000",'
        '"fromEnv":"false","region":"minio","secretKeyKey":"secretkey","secretName":"mlpipeline-minio-artifact"}}'
    )
    sent = copy.deepcopy(SENT)
    sent["inputs"]["artifacts"]["model"]["artifacts"][0]["metadata"]["store_session_info"] = session
    object_store.remember_session(sent)
    options = object_store._s3_options()
    assert options["endpoint_url"] == "http://store.kubeflow:9000"
    assert (options["key"], options["secret"]) == ("mlpipeline-minio-artifact-user", "pw")
    assert options["client_kwargs"] == {"region_name": "minio"}
    assert options["config_kwargs"]["s3"] == {"addressing_style": "path"}
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://other:9000")
    assert object_store._s3_options()["endpoint_url"] == "http://other:9000"


def test_a_uri_with_a_step_up_does_not_become_a_path() -> None:
    with pytest.raises(BadInput, match=r"s3://bucket/\.\./\.\./etc: has the part \.\."):
        to_path("s3://bucket/../../etc", "/root")
    assert to_path("s3://bucket/a..b/c", "/root") == "/root/s3/bucket/a..b/c"


NOISY = """
import json, sys, warnings
from efficientmixnet.kubeflow.entrypoint import _quiet
from efficientmixnet.modules.exceptions import BadInput
outputs = {"log": {"artifacts": [{"uri": sys.argv[1]}]}}
with _quiet({"outputs": {"artifacts": outputs}}) as out:
    warnings.warn("this will change", FutureWarning)
    print("Unable to register cuDNN factory")
    out.write("1000 images\\n")
    if sys.argv[2] == "bug":
        raise KeyError("label")
    if sys.argv[2] == "mistake":
        raise BadInput("data.images: gone")
"""


@pytest.mark.parametrize(("ends_with", "shown"), [("success", False), ("mistake", False), ("bug", True)])
def test_the_log_of_the_pod_has_the_noise_of_libraries_only_after_a_bug(
    tmp_path: Path, ends_with: str, shown: bool
) -> None:
    command = [sys.executable, "-c", NOISY, str(tmp_path / "task" / "log"), ends_with]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.stdout == "1000 images\n"
    noise = ("FutureWarning: this will change", "Unable to register cuDNN factory")
    assert [line in done.stderr for line in noise] == [shown, shown]
    log = (tmp_path / "task" / "log").read_text()
    assert all(line in log for line in noise)
