"""Asks, before anything runs, whether there is what TFX's InfraValidator needs to start a model server."""

import os

from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.pipeline.config.serving_config import ServingConfig

_SOCKET = "unix:///var/run/docker.sock"
_SECONDS = 10
# By which TFX's InfraValidator knows its own pod, beside which it starts the server's.
_POD = ("KUBERNETES_SERVICE_HOST", "KFP_POD_NAME", "KFP_NAMESPACE")
_CURE = "or remove the key: ServingCheck asks the model in any case"


def check_model_server(config: ServingConfig) -> None:
    """Refuses a run whose model could not be validated once it is trained.

    Raises:
        BadInput: Docker or the cluster is missing, or Python's package for it.
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
            f"serving.infra_validator: Python's package docker is missing; pip install docker, {_CURE}"
        ) from None
    try:
        docker.DockerClient(base_url=address, timeout=_SECONDS).close()  # asks for the server's version
    except docker.errors.DockerException:
        raise BadInput(
            f"serving.infra_validator: no Docker answers at {address or _SOCKET}; start it, give its address as "
            f"serving.docker, {_CURE}"
        ) from None


def _check_pod() -> None:
    try:
        import kubernetes  # noqa: F401
    except ImportError:
        raise BadInput(
            f"serving.infra_validator: Python's package kubernetes is missing; pip install kubernetes, {_CURE}"
        ) from None
    missing = [name for name in _POD if name not in os.environ]
    if missing:
        raise BadInput(
            f"serving.infra_validator: kubernetes starts the server beside the run's own pod, and this is none that "
            f"says so ({', '.join(missing)} not set); give docker, {_CURE}"
        )
