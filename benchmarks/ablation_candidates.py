"""What ablation.py compares: the candidates, and the tables of networks and budgets. It needs no Keras."""

from dataclasses import dataclass, replace
from typing import NamedTuple

AIRBENCH96 = 3.1e15  # floating-point operations, with which airbench96 classifies 96.0 % of CIFAR-10 correctly


@dataclass(frozen=True)
class Candidate:
    """The parts that vary."""

    mixed: bool = False
    activation: str = "swish"
    norm: str = "bn"
    placement: str = "all"
    init: str = "bn"
    squeeze_excite: str = "always"
    optimizer: str = "adam"
    warmup: bool = True


PLAIN = Candidate()
CANDIDATES: dict[str, Candidate] = {
    "plain, swish, bn, Adam": PLAIN,
    "mixed kernels": replace(PLAIN, mixed=True),
    "mish": replace(PLAIN, activation="mish"),
    "an": replace(PLAIN, norm="an"),
    "an, depthwise": replace(PLAIN, norm="an", placement="depthwise"),
    "an, started as in the paper": replace(PLAIN, norm="an", init="paper"),
    "an, depthwise, no squeeze-excite": replace(PLAIN, norm="an", placement="depthwise", squeeze_excite="auto"),
    "iebn": replace(PLAIN, norm="iebn"),
    "iebn, depthwise": replace(PLAIN, norm="iebn", placement="depthwise"),
    "RAdam": replace(PLAIN, optimizer="radam"),
    "Lookahead": replace(PLAIN, optimizer="lookahead"),
    "Lookahead + RAdam": replace(PLAIN, optimizer="ranger"),
    "ConvMuon": replace(PLAIN, optimizer="convmuon"),
    "no warm-up": replace(PLAIN, warmup=False),
    "RAdam, no warm-up": replace(PLAIN, optimizer="radam", warmup=False),
    "Lookahead + RAdam, no warm-up": replace(PLAIN, optimizer="ranger", warmup=False),
}
COMBINED = "what helped alone, combined"
BEST = "the best network"
BEST_CANDIDATE = replace(PLAIN, optimizer="sgd")


class Stage(NamedTuple):
    """Blocks of one width. A fused block has one full convolution, which has one kernel size and no squeeze-excite."""

    repeats: int
    kernel: int
    mixed: tuple[int, ...]  # the kernel sizes with mixed kernels
    stride: int
    expand: int
    inputs: int
    outputs: int
    fused: bool = False


@dataclass(frozen=True)
class Scale:
    """A network and a budget."""

    stages: tuple[Stage, ...]
    width: float
    depth: float
    stem_filters: int
    stem_stride: int
    head_filters: int
    epochs: int
    batch: int
    decay: float  # of the weights, times the learning rate
    rates: tuple[float, ...]  # the learning rates that a search starts with


SHORT = Scale(
    stages=(
        Stage(1, 3, (3,), 1, 1, 32, 24),
        Stage(3, 3, (3, 5, 7), 1, 4, 24, 48),
        Stage(3, 5, (3, 5, 7), 2, 4, 48, 96),
        Stage(3, 5, (3, 5, 7, 9), 2, 4, 96, 160),
        Stage(1, 3, (3,), 1, 4, 160, 256),
    ),
    width=0.25,
    depth=0.33,
    stem_filters=32,
    stem_stride=2,
    head_filters=640,
    epochs=4,
    batch=128,
    decay=0.05,
    rates=(0.008, 0.016, 0.032, 0.064),
)
# Full convolutions where maps are large, since a GPU is fast at them. The blocks that the candidates change come after.
FULL = Scale(
    stages=(
        Stage(1, 3, (3,), 1, 1, 32, 32, fused=True),
        Stage(1, 3, (3,), 2, 1, 32, 96, fused=True),
        Stage(3, 3, (3, 5, 7), 1, 4, 96, 96),
        Stage(3, 5, (3, 5, 7, 9), 2, 4, 96, 192),
    ),
    width=1.0,
    depth=1.0,
    stem_filters=32,
    stem_stride=1,
    head_filters=768,
    epochs=40,
    batch=500,
    decay=0.05,
    rates=(0.001, 0.002, 0.004, 0.008),
)
# For 96 %. Its epochs take the operations of airbench96.
LARGE = Scale(
    stages=(
        Stage(1, 3, (3,), 1, 1, 64, 64, fused=True),
        Stage(3, 3, (3,), 2, 1, 64, 128, fused=True),
        Stage(3, 3, (3,), 2, 1, 128, 256, fused=True),
        Stage(2, 3, (3,), 2, 1, 256, 512, fused=True),
    ),
    width=1.0,
    depth=1.0,
    stem_filters=64,
    stem_stride=1,
    head_filters=512,
    epochs=39,
    batch=500,
    decay=0.005,
    rates=(0.1, 0.2, 0.4, 0.8),
)
