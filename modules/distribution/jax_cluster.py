"""JaxCluster: the processes of a training with JAX on several machines, as environment variables name them."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from efficientmixnet.modules.distribution.cluster import Cluster
from efficientmixnet.modules.exceptions import BadInput

# For the coordinator, its port if it is not in the address, the number of processes, and the index of this one.
JAXJOB = ("COORDINATOR_ADDRESS", "COORDINATOR_PORT", "NUM_PROCESSES", "PROCESS_ID")  # of the Training Operator
_TRAINJOB = tuple(f"JAX_{name}" for name in JAXJOB)  # of Kubeflow Trainer 2 with the JAX runtime
VARIABLES = (*JAXJOB, *_TRAINJOB)


@dataclass(frozen=True)
class JaxCluster:
    """The address (host:port) of the first process, the number of processes, and the index of this one."""

    coordinator: str
    processes: int
    index: int

    @classmethod
    def from_environment(cls) -> "JaxCluster | None":
        """Returns the cluster that a TrainJob, a JAXJob or TF_CONFIG names, in this order; None if there is none.

        Raises:
            BadInput: A variable is missing or wrong. The message names it.
        """
        values = os.environ
        for names in (_TRAINJOB, JAXJOB):
            if values.get(names[0]) and values.get(names[2]):
                return cls._of_variables(names, values)
        cluster = Cluster.from_environment()
        return cls(cluster.workers[0], len(cluster.workers), cluster.index) if cluster else None

    @classmethod
    def of(cls, distribution: str) -> "JaxCluster | None":
        """Returns the cluster for this value of `training.distribution`: none of it for `none` and `mirrored`."""
        return cls.from_environment() if distribution in ("auto", "multi_worker") else None

    @classmethod
    def _of_variables(cls, names: tuple[str, ...], values: Mapping[str, str]) -> "JaxCluster":
        address, port, number, index = names
        coordinator, processes = values[address], _number(number, values, 1)
        if ":" not in coordinator:
            coordinator = f"{coordinator}:{_number(port, values, 1)}"
        own = _number(index, values, 0)
        if own >= processes:
            raise BadInput(f"{index}: {own} is not less than {number}, which is {processes}")
        return cls(coordinator, processes, own)


def _number(name: str, values: Mapping[str, str], least: int) -> int:
    text = values.get(name, "")
    if not text.isdecimal() or int(text) < least:
        raise BadInput(f"{name}: {text!r} is not a whole number from {least}")
    return int(text)
