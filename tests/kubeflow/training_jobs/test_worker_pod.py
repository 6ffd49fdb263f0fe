"""The workers' pods have everything from the configuration, and Kubernetes accepts them."""

import json
from collections.abc import Callable
from typing import Any

import kubernetes_validate
import pytest

from efficientmixnet.kubeflow.package.requirements import check
from efficientmixnet.kubeflow.training_jobs.settings import VARIABLE, JobSettings
from efficientmixnet.kubeflow.training_jobs.tfjob import TFJob
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.pipeline.config.config import Config


@pytest.fixture
def template(settings: JobSettings) -> dict[str, Any]:
    return TFJob().manifest("digits-1", settings, ["train"])["spec"]["tfReplicaSpecs"]["Worker"]["template"]


def test_kubernetes_accepts_the_workers_pod(template: dict[str, Any]) -> None:
    kubernetes_validate.validate({"apiVersion": "v1", "kind": "Pod", **template}, "1.34", strict=True)


def test_a_worker_gets_the_trainers_resources_and_node(template: dict[str, Any]) -> None:
    spec = template["spec"]
    (container,) = spec["containers"]
    amounts = {"cpu": "16", "memory": "64G", "nvidia.com/gpu": "4"}
    assert container["resources"] == {"limits": amounts, "requests": amounts}
    assert spec["nodeSelector"] == {"pool": "gpu"}
    assert spec["tolerations"] == [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]
    assert spec["serviceAccountName"] == "efficientmixnet-runner"


def test_a_worker_gets_the_volumes_and_secrets(template: dict[str, Any]) -> None:
    spec = template["spec"]
    (container,) = spec["containers"]
    behind = {volume["name"]: volume for volume in spec["volumes"]}
    seen = {mount["mountPath"]: behind[mount["name"]] for mount in container["volumeMounts"]}
    assert seen["/mnt/images"]["persistentVolumeClaim"] == {"claimName": "images"}
    assert seen["/etc/authority"]["secret"] == {"secretName": "authority"}
    assert seen["/dev/shm"]["emptyDir"] == {"medium": "Memory", "sizeLimit": "8Gi"}  # noqa: S108
    secret = {one["name"]: one["valueFrom"]["secretKeyRef"] for one in container["env"] if "valueFrom" in one}
    assert secret == {
        "TRACKING_ADDRESS": {"name": "tracking", "key": "address"},
        "AWS_ACCESS_KEY_ID": {"name": "mlpipeline-minio-artifact", "key": "accesskey"},
        "AWS_SECRET_ACCESS_KEY": {"name": "mlpipeline-minio-artifact", "key": "secretkey"},
    }
    assert {"name": "AWS_ENDPOINT_URL", "value": "http://minio:9000"} in container["env"]


def test_the_operator_gets_its_container_name_and_restart_policy(settings: JobSettings) -> None:
    spec = TFJob().manifest("digits-1", settings, ["train"])["spec"]
    worker = spec["tfReplicaSpecs"]["Worker"]
    assert (worker["replicas"], worker["restartPolicy"]) == (2, "ExitCode")
    assert [one["name"] for one in worker["template"]["spec"]["containers"]] == ["tensorflow"]
    assert spec["runPolicy"]["activeDeadlineSeconds"] == 86400


def test_settings_survive_the_environment_without_dollar_signs(
    settings: JobSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    (text,) = settings.to_environment().values()
    assert "$" not in text  # Kubernetes would replace $(HOME)
    monkeypatch.setenv(VARIABLE, text)
    assert JobSettings.from_environment() == settings
    assert {"name": "PRICE", "value": "5$(HOME)"} in json.loads(text)["pod"]["spec"]["containers"][0]["env"]


def test_the_component_of_a_training_job_asks_for_no_gpu(changed: Callable[..., Config]) -> None:
    alone = changed({"job_kind": None, "workers": 1}).kubeflow
    assert (alone.pod_of("Trainer").gpus, JobSettings.of(alone, "digits")) == (4, None)
    waiting = changed({}).kubeflow.pod_of("Trainer")
    assert (waiting.gpus, waiting.memory, waiting.timeout_seconds) == (0, "2Gi", 86400)


@pytest.mark.parametrize(
    ("trainer", "sections", "message"),
    [
        ({"job_kind": None}, {}, "kubeflow.trainer.job_kind: is missing for 2 workers; give tfjob .* or trainjob"),
        ({"job_kind": None, "workers": 1, "exchange": "/mnt/images"}, {}, "kubeflow.trainer.exchange: is only for"),
        (
            {"exchange": "/elsewhere"},
            {},
            "kubeflow.trainer.exchange: /elsewhere is not shared between pods; give a folder on a volume",
        ),
        (
            {},
            {"training": {"distribution": "mirrored"}},
            "training.distribution: with mirrored each of the 2 workers would train its own model",
        ),
        ({}, {"training": {"budget": "30m"}}, "training.budget: is for one pod; set training.epochs to"),
        ({}, {"training": {"batch_size": 36}}, "training.batch_size: 36 .* over the 8 devices of 2 workers; give 32"),
    ],
)
def test_settings_that_cannot_work_with_workers_are_refused(
    changed: Callable[..., Config], trainer: dict[str, Any], sections: dict[str, Any], message: str
) -> None:
    with pytest.raises(BadInput, match=message):
        check(changed(trainer, **sections), "oss")


def test_vertex_has_no_training_jobs(changed: Callable[..., Config]) -> None:
    with pytest.raises(BadInput, match=r"kubeflow.trainer.job_kind: Vertex AI has no training jobs"):
        check(changed({}), "vertex")


def test_an_unknown_job_kind_is_refused_by_the_configuration(changed: Callable[..., Config]) -> None:
    with pytest.raises(ValueError, match=r"kubeflow.trainer.job_kind\n.*'tfjob' or 'trainjob'"):
        changed({"job_kind": "pytorchjob"})
