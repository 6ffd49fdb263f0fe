"""wait_for_workers: waits until all workers have started, before TensorFlow connects them.

TensorFlow itself waits for an hour, and its message does not name the address of the missing worker.
"""

import socket
import time
from collections.abc import Sequence

_PAUSE = 0.2  # seconds between two attempts


def wait_for_workers(addresses: Sequence[str], index: int, seconds: float) -> str | None:
    """Waits until all addresses answer.

    Meanwhile this worker answers at its own address. Afterwards TensorFlow's server does, so workers that still wait
    get an answer too.

    Args:
        addresses: The addresses (host:port) of all workers.
        index: The index of this worker.
        seconds: How long to wait.

    Returns:
        The first address that did not answer in time; None if all did.
    """
    missing = [address for number, address in enumerate(addresses) if number != index]
    until = time.monotonic() + seconds
    with socket.create_server(("", _port(addresses[index])), backlog=len(addresses)):
        while missing and time.monotonic() < until:
            missing = [address for address in missing if not answers(address)]
            if missing:
                time.sleep(_PAUSE)
    return missing[0] if missing else None


def answers(address: str) -> bool:
    """Returns whether something listens at this address (host:port)."""
    try:
        with socket.create_connection((address.rpartition(":")[0], _port(address)), timeout=1):
            return True
    except OSError:  # the host does not exist yet, or nothing listens at its port
        return False


def _port(address: str) -> int:
    return int(address.rpartition(":")[2])
