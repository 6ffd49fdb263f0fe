"""wait_for_workers: every worker of a training is there before TensorFlow connects them; one that is not, is named.

TensorFlow itself waits for an hour, and then speaks of tasks, not of addresses.
"""

import socket
import time
from collections.abc import Sequence

_PAUSE = 0.2  # seconds between two tries


def wait_for_workers(addresses: Sequence[str], index: int, seconds: float) -> str | None:
    """Waits until each address (host:port) answers, one's own being the index-th; the first that does not, or None.

    While it waits it answers at its own address, which TensorFlow takes over afterwards. Who is through no longer needs
    the others to wait: TensorFlow's server answers them.
    """
    missing = [address for number, address in enumerate(addresses) if number != index]
    until = time.monotonic() + seconds
    with socket.create_server(("", _port(addresses[index])), backlog=len(addresses)):
        while missing and time.monotonic() < until:
            missing = [address for address in missing if not _answers(address)]
            if missing:
                time.sleep(_PAUSE)
    return missing[0] if missing else None


def _answers(address: str) -> bool:
    try:
        with socket.create_connection((address.rpartition(":")[0], _port(address)), timeout=1):
            return True
    except OSError:  # no such host yet, or nobody at its port
        return False


def _port(address: str) -> int:
    return int(address.rpartition(":")[2])
