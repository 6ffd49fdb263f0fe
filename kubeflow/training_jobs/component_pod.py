"""component_pod: the pod that this process runs in, as Kubeflow Pipelines tells every container."""

import os
from typing import NamedTuple


class ComponentPod(NamedTuple):
    """A pod's name, and what no other pod of that name has."""

    name: str
    uid: str


def component_pod() -> ComponentPod | None:
    """None where nothing says it, as on a laptop."""
    name, uid = os.environ.get("KFP_POD_NAME"), os.environ.get("KFP_POD_UID")
    return ComponentPod(name, uid) if name and uid else None
