"""JaxDevices: all devices of a training with JAX, on one machine or several."""

import ipaddress
import socket
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from efficientmixnet.modules.distribution.jax_cluster import JaxCluster
from efficientmixnet.modules.distribution.rendezvous import answers
from efficientmixnet.modules.exceptions import BadInput

_PAUSE = 0.2  # seconds between two attempts to reach the coordinator


@dataclass(frozen=True)
class JaxDevices:
    """What `Distribution` needs of a strategy. JAX splits each batch, and computes as if there were one device."""

    parallel: keras.distribution.DataParallel

    @classmethod
    def all(cls) -> "JaxDevices":
        """Returns all devices of all processes."""
        return cls(keras.distribution.DataParallel(auto_shard_dataset=False))  # each worker reads its own images

    @property
    def num_replicas_in_sync(self) -> int:
        return int(self.parallel.device_mesh.devices.size)

    def scope(self) -> AbstractContextManager:
        return self.parallel.scope()


def connect(cluster: JaxCluster, minutes: float) -> None:
    """Connects the processes. Call it before any other use of JAX.

    Args:
        cluster: The processes.
        minutes: How long to wait for the others.

    Raises:
        BadInput: Another process did not start in time, or the other machines cannot find this one.
    """
    import jax

    _check_own_name(cluster.coordinator)
    until = time.monotonic() + 60 * minutes
    while cluster.index and not answers(cluster.coordinator):
        if time.monotonic() > until:
            raise BadInput(f"the first worker, at {cluster.coordinator}, did not start within {minutes:g} minutes")
        time.sleep(_PAUSE)
    jax.config.update("jax_cpu_collectives_implementation", "gloo")  # older JAX has none on CPUs by default
    try:
        jax.distributed.initialize(
            cluster.coordinator,
            cluster.processes,
            cluster.index,
            initialization_timeout=max(1, round(until - time.monotonic())),
        )
    except RuntimeError as error:
        if "DEADLINE_EXCEEDED" not in str(error):
            raise
        raise BadInput(
            f"not all of the {cluster.processes} workers started within {minutes:g} minutes: "
            f"{str(error).splitlines()[0]}"
        ) from None
    _copy_variables_to_all_processes()


def _check_own_name(coordinator: str) -> None:
    """Checks that the other machines can find this one by its name. JAX's collectives on CPUs crash otherwise."""
    name = socket.gethostname()
    own = _address(name)
    one_machine = _loopback(_address(coordinator.rpartition(":")[0].strip("[]")))
    if own is None or (_loopback(own) and not one_machine):
        raise BadInput(
            f"the name of this machine, {name}, "
            + ("has no address" if own is None else f"has the address {own}, which other machines cannot reach")
            + ". Add the name with the machine's address to /etc/hosts"
        )


def _address(name: str) -> str | None:
    try:
        return str(socket.getaddrinfo(name, None)[0][4][0])
    except OSError:
        return None


def _loopback(address: str | None) -> bool:
    return address is not None and ipaddress.ip_address(address).is_loopback


def _copy_variables_to_all_processes() -> None:
    """Makes Keras place variables on the devices of all processes, which older JAX's device_put refuses.

    All processes have the same values, so each only places its own copy.
    """
    import jax
    from keras.src.backend.jax import distribution_lib

    place = distribution_lib.distribute_variable

    def placed(value: Any, layout: Any) -> Any:
        here = not isinstance(value, jax.core.Tracer) and getattr(value, "is_fully_addressable", True)
        if not here or not isinstance(layout, jax.sharding.Sharding):
            return place(value, layout)
        array = np.asarray(value)
        return jax.make_array_from_callback(array.shape, layout, lambda index: array[index])

    distribution_lib.distribute_variable = placed
