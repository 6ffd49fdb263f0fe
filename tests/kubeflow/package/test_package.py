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
from efficientmixnet.kubeflow.training_jobs.settings import VARIABLE
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.pipeline.config.config import Config
from efficientmixnet.pipeline.config.kubeflow_config import TrainerPodConfig

CHECKED_ELSEWHERE = {"config", "custom_config", "eval_config", "stats_options_json"}
# The components that replace local metadata in a cluster.
FOR_THE_CLUSTER = {"DataVersion", "LatestPushed", "Pusher"}


@pytest.fixture(scope="module")
def spec(package: list[dict[str, Any]]) -> dict[str, Any]:
    return package[0]


@pytest.fixture(scope="module")
def tasks(spec: dict[str, Any]) -> dict[str, Any]:
    return spec["root"]["dag"]["tasks"]


@pytest.fixture(scope="module")
def containers(spec: dict[str, Any]) -> dict[str, Any]:
    executors = spec["deploymentSpec"]["executors"]
    return {label.removesuffix("_executor"): executor["container"] for label, executor in executors.items()}


@pytest.fixture(scope="module")
def settings(package: list[dict[str, Any]]) -> dict[str, Any]:
    """The platform document's settings of each component."""
    executors = package[1]["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    return {label.removesuffix("_executor"): one for label, one in executors.items()}


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
        "max_left_out": 0.01,
        "pushed": "minio://mlpipeline/efficientmixnet/pushed",
    }


@pytest.fixture(scope="module")
def lookup_tasks(config: Config) -> dict[str, Any]:
    """The tasks of a pipeline with drift, earlier spans and a warm start."""
    values = config.model_dump(mode="json")
    values["data"] |= {
        "images": "/mnt/images/day-{SPAN}", "training_spans": 3, "drift": {"image/class/text": 0.1},
    }  # fmt: skip
    values["network"]["weights"] = "latest"
    values["search"] = {"space": {"training.learning_rate": [0.01, 0.1]}}
    spec, *_ = compile_package(Config.model_validate(values), "oss")
    assert spec["root"]["inputDefinitions"]["parameters"].keys() == {"images", "manifest", "max_left_out", "pushed"}
    return spec["root"]["dag"]["tasks"]


def _artifact(task: dict[str, Any], name: str) -> tuple[str, str]:
    """The task and the output from which an input comes."""
    source = task["inputs"]["artifacts"][name]["taskOutputArtifact"]
    return source["producerTask"], source["outputArtifactKey"]


def test_data_before_is_looked_up_in_every_run_for_drift(lookup_tasks: dict[str, Any]) -> None:
    tasks = lookup_tasks
    assert tasks["DataBefore"]["cachingOptions"] == {}
    assert tasks["DataBefore"]["inputs"]["parameters"] == {
        "records": {"runtimeValue": {"constant": "minio://mlpipeline/efficientmixnet/data/digits"}},
        "spans": {"runtimeValue": {"constant": 3}},
    }
    assert tasks["SchemaGen"]["inputs"]["parameters"]["ExampleValidator_previous"] == {
        "taskOutputParameter": {"producerTask": "DataBefore", "outputParameterKey": "before"}
    }


def test_transform_gets_the_earlier_spans(lookup_tasks: dict[str, Any]) -> None:
    tasks = lookup_tasks
    assert tasks["LatestSpans"]["inputs"]["parameters"] == {
        "earlier": {"taskOutputParameter": {"producerTask": "DataBefore", "outputParameterKey": "earlier"}}
    }
    assert _artifact(tasks["LatestSpans"], "now") == ("ImageExampleGen", "examples")
    assert _artifact(tasks["Transform"], "examples") == ("LatestSpans", "examples")
    for name in ("StatisticsGen", "Evaluator", "ServingCheck"):  # these use only the present span
        assert _artifact(tasks[name], "examples") == ("ImageExampleGen", "examples")
    assert tasks["LatestSpans"]["cachingOptions"] == {"enableCache": True}


def test_training_starts_from_the_newest_pushed_model(lookup_tasks: dict[str, Any]) -> None:
    tasks = lookup_tasks
    assert tasks["PushedBefore"]["cachingOptions"] == {}
    assert tasks["PushedBefore"]["inputs"]["parameters"] == {"pushed": {"componentInputParameter": "pushed"}}
    # In the schema's metadata, the launcher writes how to reach the store.
    assert _artifact(tasks["PushedBefore"], "schema") == ("SchemaGen", "schema")
    for name in ("Tuner", "Trainer"):
        assert tasks[name]["cachingOptions"] == {"enableCache": True}
        assert tasks[name]["inputs"]["parameters"]["base_model"] == {
            "taskOutputParameter": {"producerTask": "PushedBefore", "outputParameterKey": "latest"}
        }
    # The baseline is looked up after training.
    assert tasks["Evaluator"]["inputs"]["parameters"]["baseline_model"] == {
        "taskOutputParameter": {"producerTask": "LatestPushed", "outputParameterKey": "latest"}
    }


def test_a_task_depends_on_the_tasks_whose_parameters_it_uses(tasks: dict[str, Any]) -> None:
    assert tasks["ImageExampleGen"]["inputs"]["parameters"]["fingerprint"] == {
        "taskOutputParameter": {"producerTask": "DataVersion", "outputParameterKey": "fingerprint"}
    }
    assert tasks["ImageExampleGen"]["dependentTasks"] == ["DataVersion"]
    assert "LatestPushed" in tasks["Evaluator"]["dependentTasks"]


def test_only_lookups_and_the_push_are_never_cached(tasks: dict[str, Any]) -> None:
    never = {name for name, task in tasks.items() if not task["cachingOptions"].get("enableCache")}
    assert never == {"DataVersion", "LatestPushed", "Pusher"}


def test_every_container_runs_our_entry_point_with_its_outputs(
    spec: dict[str, Any], containers: dict[str, Any]
) -> None:
    for name, container in containers.items():
        assert container["image"] == "registry.example.com/efficientmixnet:0.1.0"
        assert container["command"] == ["python", "-m", "efficientmixnet.kubeflow.entrypoint"]
        argument = container["args"][container["args"].index("--output_artifacts") + 1]
        known = spec["components"][name]["outputDefinitions"]["artifacts"]
        assert set(json.loads(argument)) <= set(known)


def _longest(tasks: dict[str, Any], name: str) -> int:
    return 1 + max((_longest(tasks, before) for before in tasks[name].get("dependentTasks", [])), default=0)


def test_the_chain_of_tasks_is_short(tasks: dict[str, Any]) -> None:
    """Each task costs a cluster 10 to 20 seconds."""
    assert len(tasks) == 9
    assert max(_longest(tasks, name) for name in tasks) == 8


def test_the_page_of_a_run_gets_something_to_draw(spec: dict[str, Any]) -> None:
    declared = {
        f"{name}.{output}": one["artifactType"]["schemaTitle"]
        for name, component in spec["components"].items()
        for output, one in component["outputDefinitions"]["artifacts"].items()
        if "schemaTitle" in one["artifactType"] and output != "log"
    }
    assert declared == {
        "StatisticsGen.data_page": "system.HTML",
        "Evaluator.page": "system.HTML",
        "Evaluator.metrics": "system.Metrics",
        "Evaluator.classes": "system.ClassificationMetrics",
        "Pusher.card": "system.Markdown",
    }


def test_the_report_writes_what_the_page_draws(containers: dict[str, Any]) -> None:
    arguments = containers["Evaluator"]["args"]
    (report,) = json.loads(arguments[arguments.index("--stages") + 1])
    assert {"page", "metrics", "classes", "report"} <= set(report["outputs"])


def test_merged_tasks_keep_their_inputs_and_outputs(spec: dict[str, Any], containers: dict[str, Any]) -> None:
    merged = spec["components"]["StatisticsGen"]
    assert {"statistics", "schema", "anomalies"} <= merged["outputDefinitions"]["artifacts"].keys()
    arguments = containers["StatisticsGen"]["args"]
    stages = arguments[arguments.index("--stages") + 1]
    schema_gen, validator = json.loads(stages)
    assert json.dumps(json.loads(stages), sort_keys=True) == stages  # always the same, or the cache would not be used
    assert (schema_gen["name"], schema_gen["inputs"]) == ("SchemaGen", {"statistics": "statistics"})
    assert (validator["inputs"], validator["outputs"]) == (
        {"statistics": "statistics", "schema": "schema"},
        ["anomalies"],
    )


def test_a_merged_task_shares_inputs_that_come_from_the_same_place(
    spec: dict[str, Any], containers: dict[str, Any]
) -> None:
    """The launcher would otherwise copy the images and the model twice."""
    arguments = containers["Evaluator"]["args"]
    [report] = json.loads(arguments[arguments.index("--stages") + 1])
    assert report["shared"] == {
        "artifacts": {"examples": "examples", "model": "model"},
        "parameters": {"baseline_model": "baseline_model"},
    }
    assert report["inputs"] == {"evaluation": "evaluation"}
    inputs = spec["components"]["Evaluator"]["inputDefinitions"]
    assert {key for key in inputs["artifacts"] if key.startswith("Report_")} == {
        "Report_model_run",
        "Report_statistics",
    }


def test_the_model_is_checked_beside_its_evaluation(tasks: dict[str, Any]) -> None:
    assert "Evaluator" not in tasks["ServingCheck"]["dependentTasks"]
    assert {"Evaluator", "ServingCheck"} <= set(tasks["Pusher"]["dependentTasks"])


def test_every_component_gets_its_resources(containers: dict[str, Any]) -> None:
    assert containers["ImageExampleGen"]["resources"] == {"cpuLimit": 4.0, "memoryLimit": 8.0}
    assert containers["Trainer"]["resources"] == {
        "cpuLimit": 16.0,
        "memoryLimit": 64.0,
        "accelerator": {"type": "nvidia.com/gpu", "count": "4"},
    }
    # 2 Gi is 2147483648 bytes; the field is in units of 10^9 bytes.
    assert containers["Pusher"]["resources"] == {"cpuLimit": 0.5, "memoryLimit": 2.147483648}


def test_every_task_has_a_retry_policy(tasks: dict[str, Any]) -> None:
    for task in tasks.values():
        assert task["retryPolicy"] == {
            "maxRetryCount": 2,
            "backoffDuration": "30s",
            "backoffFactor": 2.0,
            "backoffMaxDuration": "604800s",
        }


def test_the_platform_document_has_volumes_secrets_and_nodes(settings: dict[str, Any], tasks: dict[str, Any]) -> None:
    assert set(settings) == set(tasks)
    for one in settings.values():
        assert one["pvcMount"] == [{"constant": "images", "mountPath": "/mnt/images", "subPath": "team"}]
        assert one["secretAsVolume"] == [{"secretName": "authority", "mountPath": "/etc/authority"}]
        assert one["secretAsEnv"] == [
            {"secretName": "tracking", "keyToEnv": [{"secretKey": "address", "envVar": "TRACKING_ADDRESS"}]},
            {
                "secretName": "mlpipeline-minio-artifact",
                "keyToEnv": [
                    {"secretKey": "accesskey", "envVar": "AWS_ACCESS_KEY_ID"},
                    {"secretKey": "secretkey", "envVar": "AWS_SECRET_ACCESS_KEY"},
                ],
            },
        ]
    assert settings["Trainer"]["nodeSelector"] == {"labels": {"pool": "gpu"}}
    assert settings["Trainer"]["tolerations"] == [
        {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}
    ]
    assert settings["Trainer"]["enabledSharedMemory"] == {"volumeName": "shm", "size": "8Gi"}
    assert settings["ImageExampleGen"]["activeDeadlineSeconds"] == "3600"
    assert "nodeSelector" not in settings["Evaluator"]


def test_every_container_gets_the_environment_and_the_store(containers: dict[str, Any]) -> None:
    for container in containers.values():
        assert {one["name"]: one["value"] for one in container["env"]} == {
            "AWS_ENDPOINT_URL": "http://minio-service.kubeflow:9000",
            "AWS_DEFAULT_REGION": "minio",
            "AWS_REGION": "minio",
            "TF_CPP_MIN_LOG_LEVEL": "2",
        }


def test_checkpoints_are_on_the_volume(tasks: dict[str, Any]) -> None:
    custom_config = json.loads(tasks["Trainer"]["inputs"]["parameters"]["custom_config"]["runtimeValue"]["constant"])
    assert custom_config["checkpoints"] == "/mnt/images/checkpoints"


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
        BadInput, match="--param image: the package has no such parameter; give one of images, manifest"
    ):
        arguments(spec, {"image": "x"})
    with pytest.raises(BadInput, match="--param max_left_out=all: should be of type NUMBER_DOUBLE"):
        arguments(spec, {"max_left_out": "all"})


def test_trainer_asks_for_no_gpu_if_it_submits_a_training_job(config: Config) -> None:
    trainer = TrainerPodConfig(workers=2, job_kind="tfjob", gpus=4, cpu="16")
    many = config.model_copy(update={"kubeflow": config.kubeflow.model_copy(update={"trainer": trainer})})
    executors = compile_package(many, "oss")[0]["deploymentSpec"]["executors"]
    environments = {
        label: {one["name"]: one["value"] for one in executors[label]["container"]["env"]} for label in executors
    }
    assert [label for label, environment in environments.items() if VARIABLE in environment] == ["Trainer_executor"]
    settings = json.loads(environments["Trainer_executor"][VARIABLE])
    assert (settings["pipeline"], settings["kind"], settings["workers"]) == ("digits", "tfjob", 2)
    (worker,) = settings["pod"]["spec"]["containers"]
    assert worker["resources"]["limits"] == {"cpu": "16", "memory": "16Gi", "nvidia.com/gpu": "4"}
    waiting = executors["Trainer_executor"]["container"]["resources"]
    assert waiting == {"cpuLimit": 0.5, "memoryLimit": 2 * 1024**3 / 10**9}  # those of kubeflow.pod, and no GPU
