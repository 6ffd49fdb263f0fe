"""ServingConfig: the section serving. It selects the model server that tests a model before it is pushed."""

from typing import Literal

from pydantic import Field

from efficientmixnet.modules.config.section import Section


class ServingConfig(Section):
    infra_validator: Literal["docker", "kubernetes"] | None = None
    """Where TFX's InfraValidator tests the model in TensorFlow Serving before it is pushed: in docker on this machine,
    or in a kubernetes pod next to the pod of the run. null: only ServingCheck tests the model."""
    image: str = Field("tensorflow/serving", pattern=r"^[a-z0-9][a-zA-Z0-9./_:-]*$")
    """The container image of TensorFlow Serving."""
    tag: str = Field("2.16.1", pattern=r"^\w[\w.-]{0,127}$")
    """The tag of the container image. Use the version of the servers that will load the pushed models."""
    docker: str | None = Field(None, pattern=r"^(unix|tcp)://")
    """The address of Docker, such as unix:///run/user/1000/docker.sock. null: unix:///var/run/docker.sock."""
