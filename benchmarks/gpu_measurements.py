"""PARTS: what on_gpu.py measures. Each measurement is a process of its own."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Line = dict[str, Any]  # candidate, value and unit, and against and ratio if the script compares

# The batch size and image size of each network.
NETWORKS = {"B0": (256, 224), "B4": (64, 380), "MixNetS": (256, 224), "MixNetM": (256, 224)}
# The candidates of ablation.py that the study compares first, the plain network before the others.
CANDIDATES = (
    "plain, swish, bn, Adam",
    "mixed kernels",
    "mish",
    "an",
    "iebn",
    "RAdam",
    "Lookahead",
    "Lookahead + RAdam",
)

# Which candidate the others are compared with, where the script does not compare.
AGAINST = {"training": "timm", "study": CANDIDATES[0]}
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


@dataclass(frozen=True)
class Measurement:
    """A process that measures one or more figures."""

    part: str
    name: str
    candidate: str  # what it measures, or a group of candidates
    command: tuple[str, ...]  # a script of this folder and its arguments
    read: Callable[[str], list[Line]]  # the lines in its output

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


def study(given: Given) -> Iterator[Measurement]:
    """Trainings on CIFAR-10. Each candidate searches its learning rate, and then runs with three seeds."""
    data = str(given.carried / "cifar10-train.tar.xz")
    small = ("--short", "--images", "100", "--batch", "10", "--seeds", "0")
    sizes = small if given.small else ("--precision", "mixed_bfloat16")
    for candidate in CANDIDATES[:1] if given.small else CANDIDATES:
        which = ("--only", candidate, "--budget", str(given.epochs), "--results", str(given.study))
        command = ("ablation.py", "--data", data, *which, *sizes)
        yield Measurement("study", f"CIFAR-10, {given.epochs} epochs", candidate, command, _accuracy(candidate))


PARTS: dict[str, Callable[[Given], Iterator[Measurement]]] = {
    "training": training,
    "layers": layers,
    "optimizers": optimizers,
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


def _accuracy(candidate: str) -> Callable[[str], list[Line]]:
    def read(output: str) -> list[Line]:
        """Reads the candidate's row in the table that ablation.py prints."""
        row = next(line for line in output.splitlines() if line.startswith(f"| {candidate} |"))
        _, _, rate, accuracy, *_ = (cell.strip() for cell in row.split("|"))
        mean, _, deviation = accuracy.partition(" ± ")
        line = {"candidate": candidate, "value": float(mean), "unit": "% correct"}
        return [{**line, "deviation": float(deviation) if deviation else None, "rate": rate}]

    return read
