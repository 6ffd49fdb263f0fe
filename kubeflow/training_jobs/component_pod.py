"""component_pod: the pod in which this process runs, from the variables that Kubeflow Pipelines sets."""

import os
from typing import NamedTuple


class ComponentPod(NamedTuple):
    """A pod's name and unique id."""

    name: str
    uid: str


def component_pod() -> ComponentPod | None:
    """Returns this process's pod, or None outside of Kubeflow Pipelines."""
    name, uid = os.environ.get("KFP_POD_NAME"), os.environ.get("KFP_POD_UID")
    return ComponentPod(name, uid) if name and uid else None
