"""The rule of a budget measures few networks, and chooses the largest one that sees each image often enough."""

import pytest

from efficientmixnet.modules.config.network_config import NetworkConfig
from efficientmixnet.modules.training.budget_rule import Candidate, Rung, choose, explore


def _candidate(name: str, epochs: int, multiply_adds: int = 1) -> Candidate:
    return Candidate(name, multiply_adds, 0.0, 1.0, epochs)


@pytest.mark.parametrize(
    ("epochs", "chosen", "reason"),
    [
        ({"small": 80, "middle": 30, "large": 20}, "large", "the largest measured network with time for 20 epochs"),
        ({"small": 80, "middle": 30, "large": 19}, "middle", "the largest measured network with time for 20 epochs"),
        ({"small": 19}, "small", "even the smallest network has no time for 20 epochs"),
    ],
)
def test_the_largest_network_that_sees_each_image_often_enough_is_chosen(
    epochs: dict[str, int], chosen: str, reason: str
) -> None:
    found, why = choose([_candidate(name, count) for name, count in epochs.items()], 20)
    assert (found.name, why) == (chosen, reason)


@pytest.mark.parametrize(
    ("epochs", "reason"),
    [(20, "network.variant is given"), (19, "network.variant is given, and there is no time for 20 epochs")],
)
def test_a_given_network_is_not_compared_with_others(epochs: int, reason: str) -> None:
    given = Candidate("B0", 1, 0.0, 1.0, epochs, is_given=True)
    assert choose([given], 20) == (given, reason)


class Device:
    """Measures networks of 1, 2, 4 ... multiply-adds that take as long as they compute, up to a largest one."""

    def __init__(self, seconds: float, memory: int = 2**30) -> None:
        self.seconds, self.memory = seconds, memory
        self.measured: list[int] = []

    def __call__(self, rung: Rung) -> Candidate | None:
        self.measured.append(rung.multiply_adds)
        if rung.multiply_adds > self.memory:
            return None
        return _candidate(rung.name, int(self.seconds / rung.multiply_adds), rung.multiply_adds)


def _rungs(count: int) -> list[Rung]:
    return [Rung(str(2**number), NetworkConfig(), 2**number) for number in range(count)]


def test_only_the_networks_that_may_be_the_largest_are_measured() -> None:
    """With time for 320 multiply-adds, 20 epochs allow 16. So 1, 16 and 32 of ten networks are measured."""
    device = Device(320)
    found = explore(_rungs(10), device, 20)
    assert device.measured == [1, 16, 32]
    assert choose(found, 20)[0].name == "16"


def test_a_network_that_does_not_fit_in_memory_is_not_chosen() -> None:
    device = Device(320, memory=8)
    found = explore(_rungs(10), device, 20)
    assert choose(found, 20)[0].name == "8"


def test_a_slow_network_ends_the_search_below_it() -> None:
    """The second network is slower than its multiply-adds suggest."""

    def measure(rung: Rung) -> Candidate:
        return _candidate(rung.name, {1: 100, 4: 19, 2: 30}[rung.multiply_adds], rung.multiply_adds)

    assert [one.name for one in explore(_rungs(3), measure, 20)] == ["1", "2", "4"]
