"""platform_spec: the package's second document, with the Kubernetes settings of each pod.

The fields are those of kfp-kubernetes' KubernetesExecutorConfig. That package is not used, because its releases since
1.3 need a newer protobuf than TFX 1.16 allows. Names go into the fields that old and new servers read.
"""

from typing import Any

from efficientmixnet.pipeline.config.kubeflow_config import KubeflowConfig, PodConfig, SecretConfig, all_secrets


def platform_spec(config: KubeflowConfig, components: list[str]) -> dict[str, Any]:
    """Returns the platform document, or an empty dictionary if no pod has settings.

    Args:
        config: The section `kubeflow`.
        components: The names of the pipeline's components.
    """
    executors = {f"{name}_executor": _executor(config, config.pod_of(name)) for name in sorted(components)}
    executors = {label: settings for label, settings in executors.items() if settings}
    return {"platforms": {"kubernetes": {"deploymentSpec": {"executors": executors}}}} if executors else {}


def _executor(config: KubeflowConfig, pod: PodConfig) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "secretAsEnv": [_as_environment(secret) for secret in all_secrets(config) if secret.environment],
        "secretAsVolume": [
            {"secretName": secret.name, "mountPath": secret.path} for secret in all_secrets(config) if secret.path
        ],
        "pvcMount": [
            {"constant": volume.claim, "mountPath": volume.path, **_without_empty({"subPath": volume.sub_path})}
            for volume in config.volumes
        ],
        "nodeSelector": {"labels": dict(pod.node_selector)} if pod.node_selector else None,
        "tolerations": [_without_empty(toleration.model_dump()) for toleration in pod.tolerations],
        "imagePullPolicy": config.image_pull_policy,
        "activeDeadlineSeconds": pod.timeout_seconds and str(pod.timeout_seconds),
        "enabledSharedMemory": pod.shared_memory and {"volumeName": "shm", "size": pod.shared_memory},
    }
    return _without_empty(settings)


def _as_environment(secret: SecretConfig) -> dict[str, Any]:
    return {
        "secretName": secret.name,
        "keyToEnv": [{"secretKey": key, "envVar": variable} for key, variable in secret.environment.items()],
    }


def _without_empty(settings: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in settings.items() if value}
