"""The rule by which a budget of time chooses a network: explore measures few networks, choose takes one of them.

The largest measured network that still sees each image often enough is chosen. If even the smallest one does not see
them often enough, it is chosen. The smallest network is measured first, and then the largest one that should fit if
time grows with multiply-adds. With network.variant, there is only the given network, and the rule only says whether
there is enough time for it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from efficientmixnet.modules.config.network_config import NetworkConfig


@dataclass(frozen=True)
class Candidate:
    """A network with its speed on this device."""

    name: str
    multiply_adds: int
    startup_seconds: float  # until the first steps have run
    epoch_seconds: float
    epochs: int = 0  # that the budget allows
    parts: int = 1  # of a batch, because a whole one does not fit in memory
    is_given: bool = False  # by network.variant
    step_seconds: float | None = None  # of a step that trains all layers


@dataclass(frozen=True)
class Rung:
    """A network of the ladder that is not measured yet."""

    name: str
    network: NetworkConfig
    multiply_adds: int
    is_given: bool = False  # by network.variant, so it is the only one


def explore(rungs: Sequence[Rung], measure: Callable[[Rung], Candidate | None], enough: int) -> list[Candidate]:
    """Measures few networks to find the largest with time for enough epochs. Returns them from small to large.

    Args:
        rungs: From the smallest to the largest.
        measure: Measures one; None: it cannot be used.
        enough: The epochs in which a network sees each image often enough.
    """
    measured: list[Candidate] = []
    fits, fails, position = -1, len(rungs), 0
    while fits + 1 < fails:
        found = measure(rungs[position])
        if found:
            measured.append(found)
        if found and found.epochs >= enough:
            fits = position
        else:
            fails = position
        last = measured[-1]
        # The time of an epoch should grow with the multiply-adds.
        expected = (
            one
            for one in range(fits + 1, fails)
            if rungs[one].multiply_adds * enough <= last.multiply_adds * last.epochs
        )
        position = max(expected, default=fits + 1)
    return sorted(measured, key=lambda one: one.multiply_adds)


def choose(measured: Iterable[Candidate], enough: int) -> tuple[Candidate, str]:
    """Returns the candidate that the rule chooses, and why. The reason also says if the time is too short.

    Args:
        measured: From the smallest to the largest.
        enough: The epochs in which a network sees each image often enough.

    Example:
        >>> choose([Candidate("a", 1, 0, 1, 50), Candidate("b", 2, 0, 2, 25), Candidate("c", 3, 0, 9, 5)], 20)[0].name
        'b'
    """
    first, *others = measured
    if first.is_given:
        why = "network.variant is given"
        return first, why if first.epochs >= enough else f"{why}, and there is no time for {enough} epochs"
    if first.epochs < enough:
        return first, f"even the smallest network has no time for {enough} epochs"
    fitting = [first, *(one for one in others if one.epochs >= enough)]
    return fitting[-1], f"the largest measured network with time for {enough} epochs"
