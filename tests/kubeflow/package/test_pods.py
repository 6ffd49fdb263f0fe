"""The pods of the package: resources, retries, volumes, secrets and environment."""

import json
from typing import Any

from efficientmixnet.kubeflow.package.compile import compile_package
from efficientmixnet.kubeflow.training_jobs.settings import VARIABLE
from efficientmixnet.pipeline.config.config import Config
from efficientmixnet.pipeline.config.kubeflow_config import TrainerPodConfig


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
