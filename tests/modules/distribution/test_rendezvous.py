"""Workers wait for each other, and name the one that does not start."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from efficientmixnet.modules.distribution.rendezvous import wait_for_workers


@pytest.fixture
def addresses() -> list[str]:
    """Returns three addresses with free ports."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
    found = [f"127.0.0.1:{one.getsockname()[1]}" for one in sockets]
    for one in sockets:
        one.close()
    return found


def test_all_workers_continue_when_the_last_one_has_started(addresses: list[str]) -> None:
    def start(index: int) -> tuple[str | None, float]:
        time.sleep(0.5 * index)
        missing = wait_for_workers(addresses, index, seconds=10)
        with socket.create_server(("127.0.0.1", int(addresses[index].rpartition(":")[2]))):  # as TensorFlow does then
            time.sleep(1)
        return missing, time.monotonic()

    began = time.monotonic()
    with ThreadPoolExecutor(3) as threads:
        ended = list(threads.map(start, range(3)))
    assert [missing for missing, _ in ended] == [None] * 3
    assert min(at for _, at in ended) - began > 1


def test_a_missing_worker_is_named_after_the_timeout(addresses: list[str]) -> None:
    began = time.monotonic()
    with socket.create_server(("127.0.0.1", int(addresses[1].rpartition(":")[2]))):
        assert wait_for_workers(addresses, 0, seconds=0.6) == addresses[2]
    assert time.monotonic() - began < 5


def test_an_unknown_host_is_waited_for_too(addresses: list[str]) -> None:
    assert wait_for_workers([addresses[0], "no-such-host.invalid:2222"], 0, seconds=0.3) == "no-such-host.invalid:2222"
