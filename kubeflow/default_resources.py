"""default_resources: the CPUs and memory of a component's pod where the configuration gives none.

They follow from measurements of the demo with benchmarks/component_resources.py, which docs/kubeflow.md lists. The
requests are somewhat more than the demo uses, so that pods find room. The limits leave room for larger data.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from efficientmixnet.kubeflow.quantity import to_number


@dataclass(frozen=True)
class Resources:
    """Requests and limits, as Kubernetes quantities."""

    cpu: str
    cpu_limit: str
    memory: str
    memory_limit: str

    def memory_limit_with(self, shared_memory: str | None) -> str:
        """Returns the limit of a pod whose /dev/shm has this size, since files in it count against the limit."""
        if not shared_memory:
            return self.memory_limit
        return str(int(to_number(self.memory_limit) + to_number(shared_memory)))


_LOOKUP = Resources("250m", "1", "512Mi", "2Gi")  # imports neither TFX nor TensorFlow
_LISTING = Resources("250m", "2", "512Mi", "4Gi")  # keeps the names of all images in memory, 1 kB each
_BEAM = Resources("1", "4", "2Gi", "8Gi")
_MODEL = Resources("1", "4", "2Gi", "8Gi")
_TRAINING = Resources("2", "8", "4Gi", "16Gi")
DEFAULTS: Mapping[str, Resources] = {
    "DataVersion": _LISTING,
    "ImageExampleGen": _BEAM,
    "StatisticsGen": _BEAM,
    "DataBefore": _LOOKUP,
    "SchemaGen": _BEAM,
    "LatestSpans": _LOOKUP,
    "Transform": _BEAM,
    "PushedBefore": _LOOKUP,
    "Tuner": _TRAINING,
    "Trainer": _TRAINING,
    "LatestPushed": _LOOKUP,
    "Evaluator": _MODEL,
    "ServingCheck": _MODEL,
    "Pusher": _LOOKUP,
}


def default_resources(component: str, waits: bool = False) -> Resources:
    """Returns the defaults of a component.

    Args:
        component: The component's id, such as Trainer.
        waits: Whether it only waits for a training job.
    """
    return _LOOKUP if waits else DEFAULTS.get(component, _BEAM)
