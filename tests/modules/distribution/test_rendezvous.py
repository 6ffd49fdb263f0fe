"""Workers wait for each other, whichever comes first, and name the one that does not come."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from efficientmixnet.modules.distribution.rendezvous import wait_for_workers


@pytest.fixture
def addresses() -> list[str]:
    """Three ports that are free."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
    found = [f"127.0.0.1:{one.getsockname()[1]}" for one in sockets]
    for one in sockets:
        one.close()
    return found


def test_all_go_on_once_the_last_one_is_there(addresses: list[str]) -> None:
    def come(index: int) -> tuple[str | None, float]:
        time.sleep(0.5 * index)
        missing = wait_for_workers(addresses, index, seconds=10)
        with socket.create_server(("127.0.0.1", int(addresses[index].rpartition(":")[2]))):  # as TensorFlow does now
            time.sleep(1)
        return missing, time.monotonic()

    began = time.monotonic()
    with ThreadPoolExecutor(3) as threads:
        ended = list(threads.map(come, range(3)))
    assert [missing for missing, _ in ended] == [None] * 3
    assert min(at for _, at in ended) - began > 1


def test_one_that_does_not_come_is_named_when_the_time_is_up(addresses: list[str]) -> None:
    began = time.monotonic()
    with socket.create_server(("127.0.0.1", int(addresses[1].rpartition(":")[2]))):
        assert wait_for_workers(addresses, 0, seconds=0.6) == addresses[2]
    assert time.monotonic() - began < 5


def test_a_host_that_nobody_knows_yet_is_waited_for_like_any_other(addresses: list[str]) -> None:
    assert wait_for_workers([addresses[0], "no-such-host.invalid:2222"], 0, seconds=0.3) == "no-such-host.invalid:2222"
