"""worker_pod: the pod of a training job's worker, or of a search's trial, from the section `kubeflow`."""

from typing import Any

from efficientmixnet.kubeflow.default_resources import Resources, default_resources
from efficientmixnet.kubeflow.launcher_paths import ROOT_VARIABLE
from efficientmixnet.pipeline.config.kubeflow_config import KubeflowConfig, PodConfig, all_secrets

# The folder for files from the object store. It is on the node's disk, and is deleted with the pod.
_SCRATCH = "/efficientmixnet"


def worker_pod(config: KubeflowConfig, pod: PodConfig) -> dict[str, Any]:
    """Returns a PodTemplateSpec with one container, without the container's name and command.

    Args:
        config: The section `kubeflow`.
        pod: The resources and the node.
    """
    mounts, volumes = _volumes(config, pod)
    container = {
        "image": config.image,
        "imagePullPolicy": config.image_pull_policy,
        "env": _environment(config),
        "resources": _resources(pod, default_resources("Trainer") if config.default_resources else None),
        "volumeMounts": mounts,
    }
    spec = {
        "serviceAccountName": config.service_account,
        "nodeSelector": dict(pod.node_selector),
        "tolerations": [_without_empty(toleration.model_dump()) for toleration in pod.tolerations],
        "containers": [_without_empty(container)],
        "volumes": volumes,
    }
    return {
        "metadata": {
            "labels": {"app.kubernetes.io/part-of": "efficientmixnet"},
            # Istio's proxy would keep running after the training, and would block connections between workers.
            "annotations": {"sidecar.istio.io/inject": "false"},
        },
        "spec": _without_empty(spec),
    }


def _environment(config: KubeflowConfig) -> list[dict[str, Any]]:
    plain = {
        **config.environment,
        **config.object_store.environment(),
        ROOT_VARIABLE: _SCRATCH,
        "PYTHONUNBUFFERED": "1",
    }
    secret = [
        {"name": variable, "valueFrom": {"secretKeyRef": {"name": one.name, "key": key}}}
        for one in all_secrets(config)
        for key, variable in one.environment.items()
    ]
    return [{"name": name, "value": value} for name, value in sorted(plain.items())] + secret


def _resources(pod: PodConfig, default: Resources | None) -> dict[str, Any]:
    given = _without_empty({"cpu": pod.cpu, "memory": pod.memory, pod.gpu_type: pod.gpus and str(pod.gpus)})
    limits = {"cpu": default.cpu_limit, "memory": default.memory_limit_with(pod.shared_memory)} if default else {}
    requests = {"cpu": default.cpu, "memory": default.memory} if default else {}
    return _without_empty({"limits": {**limits, **given}, "requests": {**requests, **given}})


def _volumes(config: KubeflowConfig, pod: PodConfig) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Returns the container's mounts and the pod's volumes."""
    mounts: list[dict[str, Any]] = [{"name": "scratch", "mountPath": _SCRATCH}]
    volumes: list[dict[str, Any]] = [{"name": "scratch", "emptyDir": {}}]
    for number, volume in enumerate(config.volumes):
        name = f"volume-{number}"
        mounts.append(_without_empty({"name": name, "mountPath": volume.path, "subPath": volume.sub_path}))
        volumes.append({"name": name, "persistentVolumeClaim": {"claimName": volume.claim}})
    for number, secret in enumerate(one for one in config.secrets if one.path):
        name = f"secret-{number}"
        mounts.append({"name": name, "mountPath": secret.path, "readOnly": True})
        volumes.append({"name": name, "secret": {"secretName": secret.name}})
    if pod.shared_memory:
        mounts.append({"name": "shared-memory", "mountPath": "/dev/shm"})  # noqa: S108
        volumes.append({"name": "shared-memory", "emptyDir": {"medium": "Memory", "sizeLimit": pod.shared_memory}})
    return mounts, volumes


def _without_empty(settings: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in settings.items() if value}
