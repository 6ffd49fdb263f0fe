"""ServingConfig: the model server that a model has to answer from before it is pushed."""

from typing import Literal

from pydantic import Field

from efficientmixnet.modules.config.section import Section


class ServingConfig(Section):
    infra_validator: Literal["docker", "kubernetes"] | None = None
    """Before a model is pushed, TFX's InfraValidator starts TensorFlow Serving with it and asks about some images:
    with docker on this machine, with kubernetes beside the pod that the run is in; null: ServingCheck alone asks."""
    image: str = Field("tensorflow/serving", pattern=r"^[a-z0-9][a-zA-Z0-9./_:-]*$")
    """TensorFlow Serving's image."""
    tag: str = Field("2.16.1", pattern=r"^\w[\w.-]{0,127}$")
    """The image's version: that of the servers which will read the pushed models."""
    docker: str | None = Field(None, pattern=r"^(unix|tcp)://")
    """Where Docker answers, such as unix:///run/user/1000/docker.sock; null: at unix:///var/run/docker.sock."""
