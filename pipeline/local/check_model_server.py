"""check_model_server: checks before a run that TFX's InfraValidator can start a model server."""

import os

from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.pipeline.config.serving_config import ServingConfig

_SOCKET = "unix:///var/run/docker.sock"
_SECONDS = 10
# TFX's InfraValidator reads these to find its own pod. It starts the server in the same namespace.
_POD = ("KUBERNETES_SERVICE_HOST", "KFP_POD_NAME", "KFP_NAMESPACE")
_CURE = "or remove the key (ServingCheck tests the model in any case)"


def check_model_server(config: ServingConfig) -> None:
    """Checks that serving.infra_validator can work here.

    Raises:
        BadInput: Docker, the cluster or a Python package is missing.
    """
    if config.infra_validator == "docker":
        _check_docker(config.docker)
    elif config.infra_validator == "kubernetes":
        _check_pod()


def _check_docker(address: str | None) -> None:
    try:
        import docker
    except ImportError:
        raise BadInput(
            f"serving.infra_validator: the Python package docker is missing; run `pip install docker`, {_CURE}"
        ) from None
    try:
        docker.DockerClient(base_url=address, timeout=_SECONDS).close()  # requests the version
    except docker.errors.DockerException:
        raise BadInput(
            f"serving.infra_validator: Docker does not answer at {address or _SOCKET}; start it, set its address in "
            f"serving.docker, {_CURE}"
        ) from None


def _check_pod() -> None:
    try:
        import kubernetes  # noqa: F401
    except ImportError:
        raise BadInput(
            f"serving.infra_validator: the Python package kubernetes is missing; run `pip install kubernetes`, {_CURE}"
        ) from None
    missing = [name for name in _POD if name not in os.environ]
    if missing:
        raise BadInput(
            f"serving.infra_validator: kubernetes needs a run in a pod of Kubeflow Pipelines "
            f"({', '.join(missing)} not set); use docker, {_CURE}"
        )
