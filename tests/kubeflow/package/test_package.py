"""The package has what Kubeflow Pipelines needs and TFX leaves out, and equals a golden file.

After an intended change, `RENEW_GOLDEN=1 pytest tests/kubeflow/package/test_package.py` rewrites the golden file.
"""

import copy
import json
import os
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from google.protobuf import json_format
from kfp.client.client import _extract_pipeline_yaml
from kfp.pipeline_spec import pipeline_spec_pb2

from efficientmixnet.kubeflow.cli import kubeflow
from efficientmixnet.kubeflow.package.backend_rules import arguments, check_package
from efficientmixnet.kubeflow.package.compile import compile_package, service_account_of, write_package
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.pipeline.config.config import Config

CHECKED_ELSEWHERE = {"config", "custom_config", "eval_config", "stats_options_json"}
# The components that replace local metadata in a cluster.
FOR_THE_CLUSTER = {"DataVersion", "LatestPushed", "Pusher"}


def test_the_package_equals_the_golden_file(package: list[dict[str, Any]], golden_file: Path) -> None:
    written = yaml.safe_dump_all(_for_review(package), sort_keys=True, width=120)
    if os.environ.get("RENEW_GOLDEN"):
        golden_file.write_text(written)
    assert list(yaml.safe_load_all(written)) == list(yaml.safe_load_all(golden_file.read_text()))


def _for_review(package: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The package without its version and the settings that other tests check."""
    package = copy.deepcopy(package)
    package[0]["sdkVersion"] = "tfx"
    for task in package[0]["root"]["dag"]["tasks"].values():
        for name in CHECKED_ELSEWHERE & task["inputs"].get("parameters", {}).keys():
            task["inputs"]["parameters"][name] = {"runtimeValue": {"constant": "{}"}}
    return package


def test_kfps_client_reads_the_package_completely(package: list[dict[str, Any]], tmp_path: Path) -> None:
    file = tmp_path / "pipeline.yaml"
    write_package(package, file)
    document = _extract_pipeline_yaml(str(file)).to_dict()
    assert json_format.ParseDict(package[0], pipeline_spec_pb2.PipelineSpec()) == json_format.ParseDict(
        document["pipeline_spec"], pipeline_spec_pb2.PipelineSpec()
    )
    assert document["platform_spec"] == package[1]


def test_the_server_supports_the_schema_version(spec: dict[str, Any]) -> None:
    assert spec["sdkVersion"] == f"tfx-{version('tfx')}"
    assert spec["schemaVersion"] == "2.1.0"
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", spec["pipelineInfo"]["name"])
    assert spec["defaultPipelineRoot"] == "minio://mlpipeline/efficientmixnet"
    check_package(spec)


def test_every_task_has_a_container(spec: dict[str, Any], tasks: dict[str, Any]) -> None:
    assert FOR_THE_CLUSTER | {"ImageExampleGen", "Trainer", "Evaluator"} <= set(tasks)
    assert {task["componentRef"]["name"] for task in tasks.values()} == set(spec["components"])
    kinds = [list(executor) for executor in spec["deploymentSpec"]["executors"].values()]
    assert kinds == [["container"]] * len(tasks)


def test_the_root_parameters_have_defaults(spec: dict[str, Any]) -> None:
    definitions = spec["root"]["inputDefinitions"]["parameters"]
    assert {name: one["defaultValue"] for name, one in definitions.items()} == {
        "images": "/mnt/images/digits",
        "manifest": "",
        "corrections": "",
        "max_left_out": 0.01,
        "pushed": "minio://mlpipeline/efficientmixnet/pushed",
    }


def test_every_container_runs_our_entry_point_with_its_outputs(
    spec: dict[str, Any], containers: dict[str, Any]
) -> None:
    for name, container in containers.items():
        assert container["image"] == "registry.example.com/efficientmixnet:0.1.0"
        assert container["command"] == ["python", "-m", "efficientmixnet.kubeflow.entrypoint"]
        argument = container["args"][container["args"].index("--output_artifacts") + 1]
        known = spec["components"][name]["outputDefinitions"]["artifacts"]
        assert set(json.loads(argument)) <= set(known)


def test_the_package_has_no_argo_templates(package: list[dict[str, Any]]) -> None:
    assert set(re.findall(r"\{\{[^}]*", json.dumps(package))) == {"{{$"}


def test_vertex_gets_one_document_with_its_gpu_types(config: Config) -> None:
    kubeflow = config.kubeflow.model_dump(mode="json") | {
        "pipeline_root": "gs://bucket/efficientmixnet", "volumes": [], "secrets": [], "checkpoints": None,
        "object_store": {}, "trainer": {"gpus": 1, "gpu_type": "NVIDIA_TESLA_T4"},
    }  # fmt: skip
    config = Config.model_validate(config.model_dump(mode="json") | {"kubeflow": kubeflow})
    (spec,) = compile_package(config, "vertex")
    container = spec["deploymentSpec"]["executors"]["Trainer_executor"]["container"]
    assert container["resources"] == {"accelerator": {"type": "NVIDIA_TESLA_T4", "count": "1"}}
    assert spec["root"]["inputDefinitions"]["parameters"]["pushed"]["defaultValue"] == (
        "gs://bucket/efficientmixnet/pushed"
    )
    drawn = spec["components"]["Evaluator"]["outputDefinitions"]["artifacts"]
    assert drawn["classes"]["artifactType"]["schemaTitle"] == "system.ClassificationMetrics"


def test_the_service_account_is_in_the_file(package: list[dict[str, Any]], tmp_path: Path) -> None:
    write_package(package, tmp_path / "pipeline.yaml", "pipeline-runner")
    assert service_account_of(tmp_path / "pipeline.yaml") == "pipeline-runner"
    assert list(yaml.safe_load_all((tmp_path / "pipeline.yaml").read_text())) == package
    write_package(package, tmp_path / "pipeline.yaml")
    assert service_account_of(tmp_path / "pipeline.yaml") is None


def test_the_command_writes_the_package(config: Config, package: list[dict[str, Any]], tmp_path: Path) -> None:
    (tmp_path / "digits.yaml").write_text(yaml.safe_dump(config.model_dump(mode="json")))
    command = ["compile", str(tmp_path / "digits.yaml"), "--set", "kubeflow.service_account=runner", "-o"]
    result = CliRunner().invoke(kubeflow, [*command, str(tmp_path / "pipeline.yaml")])
    assert result.exit_code == 0, result.output
    assert (
        f"{len(package[0]['root']['dag']['tasks'])} tasks; run it with `efficientmixnet kubeflow submit"
        in result.output
    )
    spec, platform = yaml.safe_load_all((tmp_path / "pipeline.yaml").read_text())
    assert (spec["root"]["dag"]["tasks"].keys(), platform) == (package[0]["root"]["dag"]["tasks"].keys(), package[1])
    assert service_account_of(tmp_path / "pipeline.yaml") == "runner"
    result = CliRunner().invoke(kubeflow, [*command, str(tmp_path / "pipeline.json")])
    assert "the name of a package must end with .yaml or .yml" in result.output


def test_given_arguments_replace_the_defaults(spec: dict[str, Any]) -> None:
    given = arguments(spec, {"images": "s3://bucket/digits"})
    assert given["images"] == "s3://bucket/digits"
    assert given["max_left_out"] == 0.01
    with pytest.raises(
        BadInput, match="--param image: the package has no such parameter; give one of corrections, images, manifest"
    ):
        arguments(spec, {"image": "x"})
    with pytest.raises(BadInput, match="--param max_left_out=all: should be of type NUMBER_DOUBLE"):
        arguments(spec, {"max_left_out": "all"})
