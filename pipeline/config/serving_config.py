"""ServingConfig: the section serving. It selects the model server that tests a model before it is pushed."""

from typing import Annotated, Literal

from efficientmixnet.modules.config.names import matching
from efficientmixnet.modules.config.section import Section

_Image = Annotated[
    str, matching(r"[a-z0-9][\w./:-]*", "should be the name of a container image, such as tensorflow/serving")
]
_Tag = Annotated[str, matching(r"\w[\w.-]{0,127}", "should be the tag of a container image, such as 2.16.1")]
_Address = Annotated[
    str, matching(r"(unix|tcp)://\S+", "should be an address of Docker, such as unix:///var/run/docker.sock")
]


class ServingConfig(Section):
    infra_validator: Literal["docker", "kubernetes"] | None = None
    """Where TFX's InfraValidator tests the model in TensorFlow Serving before it is pushed: in docker on this machine,
    or in a kubernetes pod next to the pod of the run. null: only ServingCheck tests the model."""
    image: _Image = "tensorflow/serving"
    """The container image of TensorFlow Serving."""
    tag: _Tag = "2.16.1"
    """The tag of the container image. Use the version of the servers that will load the pushed models."""
    docker: _Address | None = None
    """The address of Docker, such as unix:///run/user/1000/docker.sock. null: unix:///var/run/docker.sock."""
