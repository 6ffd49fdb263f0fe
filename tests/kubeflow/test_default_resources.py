"""Components without cpu and memory in the configuration get measured requests and limits."""

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from efficientmixnet.kubeflow.default_resources import DEFAULTS, default_resources
from efficientmixnet.kubeflow.package.package import _resources
from efficientmixnet.kubeflow.quantity import to_number
from efficientmixnet.kubeflow.training_jobs.worker_pod import worker_pod
from efficientmixnet.pipeline.config.kubeflow_config import KubeflowConfig, PodConfig


def test_every_task_has_defaults_with_room_above_the_request(golden: list[dict[str, Any]]) -> None:
    assert set(golden[0]["root"]["dag"]["tasks"]) <= set(DEFAULTS)
    for name, one in DEFAULTS.items():
        assert to_number(one.cpu) <= to_number(one.cpu_limit), name
        assert 2 * to_number(one.memory) <= to_number(one.memory_limit), name


def test_a_container_gets_the_defaults_that_the_configuration_does_not_replace() -> None:
    default = default_resources("Trainer")
    assert _resources(PodConfig(), default) == {
        "cpuRequest": 2.0,
        "cpuLimit": 8.0,
        "memoryRequest": 4 * 1024**3 / 10**9,
        "memoryLimit": 16 * 1024**3 / 10**9,
    }
    given = _resources(PodConfig(cpu="4"), default)
    assert given["cpuLimit"] == 4.0
    assert "cpuRequest" not in given  # Kubernetes requests the limit
    assert "memoryRequest" in given
    assert _resources(PodConfig(), None) == {}


def test_a_component_that_waits_for_a_training_job_gets_little() -> None:
    assert (
        to_number(default_resources("Trainer", waits=True).memory) < to_number(default_resources("Trainer").memory) / 4
    )


def test_workers_get_the_defaults_of_trainer() -> None:
    pod = worker_pod(KubeflowConfig(image="i"), PodConfig(memory="32Gi", gpus=1))
    [container] = pod["spec"]["containers"]
    assert container["resources"] == {
        "requests": {"cpu": "2", "memory": "32Gi", "nvidia.com/gpu": "1"},
        "limits": {"cpu": "8", "memory": "32Gi", "nvidia.com/gpu": "1"},
    }
    [container] = worker_pod(KubeflowConfig(image="i", default_resources=False), PodConfig())["spec"]["containers"]
    assert "resources" not in container


def test_each_component_has_a_key() -> None:
    config = KubeflowConfig.model_validate({"pods": {"Pusher": {"memory": "3Gi"}}, "evaluator": {"cpu": 3}})
    assert config.pod_of("Pusher").memory == "3Gi"
    assert config.pod_of("Evaluator").cpu == "3"
    assert config.pod_of("ServingCheck") == config.pod
    keys = {"ImageExampleGen", "StatisticsGen", "Transform", "Trainer", "Tuner", "Evaluator"}
    for name in DEFAULTS:
        if name not in keys:
            KubeflowConfig.model_validate({"pods": {name: {"cpu": 1}}})
    with pytest.raises(ValidationError, match="'DataVersion', 'DataBefore'"):
        KubeflowConfig.model_validate({"pods": {"Pushed": {}}})


def test_shared_memory_is_added_to_the_limit() -> None:
    trainer = default_resources("Trainer")
    assert trainer.memory_limit_with(None) == "16Gi"
    assert trainer.memory_limit_with("32Gi") == str(48 * 2**30)


def test_the_docs_have_the_defaults() -> None:
    docs = (Path(__file__).parents[2] / "docs" / "kubeflow.md").read_text()
    section, end, _ = docs.partition("### Requests and limits")[2].partition("A request is")
    assert end
    found = {}
    for row in re.findall(r"^\| ([A-Z].+?) \| (\w+), (\w+) \| (\w+), (\w+) \|", section, re.MULTILINE):
        found |= {name: row[1:] for name in re.findall(r"\b[A-Z]\w+", row[0]) if name in DEFAULTS and name not in found}
    assert found == {name: (one.cpu, one.cpu_limit, one.memory, one.memory_limit) for name, one in DEFAULTS.items()}
