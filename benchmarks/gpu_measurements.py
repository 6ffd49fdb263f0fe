"""PARTS: what on_gpu.py measures. Each measurement is a process of its own."""

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ablation_candidates import BEST, COMBINED, LARGE

Line = dict[str, Any]  # candidate, value and unit, and against and ratio if the script compares

# The batch size and image size of each network.
NETWORKS = {"B0": (256, 224), "B4": (64, 380), "MixNetS": (256, 224), "MixNetM": (256, 224)}
# The candidates of ablation.py in the order of interest: one for each part, and the others after their combination.
FIRST = (
    "plain, swish, bn, Adam",
    "Lookahead + RAdam",
    "ConvMuon",
    "an, depthwise, no squeeze-excite",
    "mixed kernels",
    "iebn, depthwise",
    "mish",
)
OTHERS = (
    "RAdam, no warm-up",
    "an",
    "iebn",
    "RAdam",
    "Lookahead",
    "no warm-up",
    "an, depthwise",
    "Lookahead + RAdam, no warm-up",
    "an, started as in the paper",
)
SEPARATE, TOGETHER = "one after another", "in one program"  # what gpu_seeds.py measures

# Which candidate the others are compared with, where the script does not compare.
AGAINST = {"training": "timm", "study": FIRST[0], "seeds": SEPARATE}
# The ratio that a candidate should reach: at least, or at most.
GOALS: dict[tuple[str, str], tuple[str, float]] = {
    ("training", "ours"): (">=", 1.0),
    ("layers", "an"): ("<=", 1.1),
    ("layers", "iebn"): ("<=", 1.1),
    ("layers", "ours"): ("<=", 1.0),
    ("optimizers", "radam"): ("<=", 1.03),
    ("optimizers", "lookahead(adam)"): ("<=", 1.03),
}


@dataclass(frozen=True)
class Given:
    """The arguments of a call."""

    carried: Path
    study: Path  # the runs of the study, so that a later call continues it
    epochs: int
    small: bool
    same: tuple[str, ...]  # the arguments of ablation.py that name the card and the revision
    together: int = 1  # runs of the study in one program


@dataclass(frozen=True)
class Measurement:
    """A process that measures one or more figures."""

    part: str
    name: str
    candidate: str  # what it measures, or a group of candidates
    command: tuple[str, ...]  # a script of this folder and its arguments
    read: Callable[[str], list[Line]]  # the lines in its output
    wave: int = 0  # starts when all measurements of the waves before it have ended
    most: float = math.inf  # seconds
    ends_itself: bool = False  # the script takes --minutes, and starts nothing that it cannot end

    @property
    def key(self) -> str:
        return f"{self.part}: {self.name}: {self.candidate}"


def training(given: Given) -> Iterator[Measurement]:
    """Images per second of whole networks, ours and timm's."""
    for network, sizes in list(NETWORKS.items())[:: 2 if given.small else 1]:
        batch, size = (2, 32) if given.small else sizes
        for of in ("timm", "ours"):
            steps = "1" if given.small else "40"
            command = ("gpu_training.py", "--one", of, network, str(batch), str(size), steps)
            yield Measurement("training", f"{network}, {batch} images of {size}", of, command, _rate(of))


def compiling(measurement: Measurement) -> tuple[str, ...]:
    """Returns the command that only compiles what a measurement of `training` runs."""
    return (*measurement.command[:-1], "0")


def layers(given: Given) -> Iterator[Measurement]:
    """Blocks with each normalization, and forms of the mixed depthwise convolution."""
    batch, rounds = ("1", "1") if given.small else ("128", "30")
    for part in ("blocks", "mixed"):
        sizes = ("--batch", batch, "--rounds", rounds, "--precision", "mixed_bfloat16", "--few")
        yield Measurement("layers", f"batches of {batch}", part, ("layers.py", part, "--json", *sizes), _times)


def optimizers(given: Given) -> Iterator[Measurement]:
    """A training step of EfficientNet-B0 with each optimizer."""
    batch, size, rounds = ("2", "32", "1") if given.small else ("128", "224", "5")
    sizes = ("--batch", batch, "--size", size, "--rounds", rounds, "--precision", "mixed_bfloat16")
    command = ("optimizers.py", "--json", *sizes, "--only", "adam", "radam", "lookahead(adam)")
    yield Measurement("optimizers", f"B0, {batch} images of {size}", "all", command, _times)


def seeds(given: Given) -> Iterator[Measurement]:
    """Several runs of the study, in one program and one after another."""
    small = ("--short", "--images", "50", "--trained", "40", "--batch", "10", "--together", "2", "--epochs", "2")
    sizes = small if given.small else ("--precision", "mixed_bfloat16", "--together", "4")
    # It is worth little if it takes long.
    yield Measurement("seeds", "plain network", "all", ("gpu_seeds.py", *sizes), _times, most=180.0)


def study(given: Given) -> Iterator[Measurement]:
    """Trainings on CIFAR-10. Each candidate searches its learning rate, and then runs with three seeds."""
    few = ("--seeds", "0")

    def measurement(wave: int, candidate: str, epochs: int, search: int, *which: str) -> Measurement:
        data = ("--data", str(given.carried / "cifar10-train.tar.xz"), "--results", str(given.study), *given.same)
        budget = ("--budget", str(epochs), "--search-budget", str(search), "--together", str(given.together))
        sizes = ("--precision", "mixed_bfloat16")
        if given.small:  # the best network is too large for more than a few steps on a CPU
            sizes = ("--images", "30", "--batch", "12") if "--best" in which else ("--images", "100", "--batch", "10")
            sizes += few if "--best" in which else (*few, "--short")
        command = ("ablation.py", "--json", *data, *budget, *sizes, *which)
        return Measurement("study", f"CIFAR-10, {epochs} epochs", candidate, command, _times, wave, ends_itself=True)

    best = 1 if given.small else LARGE.epochs
    # A quarter of the epochs finds the learning rate. Both trainings of the best network share their search.
    quarter, of_best = max(1, given.epochs // 4), max(1, best // 4)
    yield measurement(0, BEST, best, of_best, "--best", *few)
    for wave, candidates in ((0, FIRST[: 1 if given.small else None]), (2, OTHERS[: 0 if given.small else None])):
        for candidate in candidates:
            yield measurement(wave, candidate, given.epochs, quarter, "--only", candidate)
        yield measurement(wave + 1, f"{COMBINED} ({len(candidates)})", given.epochs, quarter, "--combined")
    yield measurement(4, BEST, 2 * best, of_best, "--best")


PARTS: dict[str, Callable[[Given], Iterator[Measurement]]] = {
    "training": training,
    "layers": layers,
    "optimizers": optimizers,
    "seeds": seeds,
    "study": study,
}


def _rate(of: str) -> Callable[[str], list[Line]]:
    def read(output: str) -> list[Line]:
        found = json.loads(output.splitlines()[-1])
        line = {"candidate": of, "value": found["rate"], "unit": "images/s"}
        return [{**line, "bytes_per_image": found["memory"]}]

    return read


def _times(output: str) -> list[Line]:
    return [{"unit": "ms", **json.loads(line)} for line in output.splitlines() if line.startswith("{")]
