"""BlockArgs: a run of equal blocks, which is one row of an architecture's table."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from efficientmixnet.modules.layers.norm import Norm
from efficientmixnet.modules.network import block_string
from efficientmixnet.modules.network.choices import ACTIVATIONS

_COUNTS = ("input_filters", "output_filters", "num_repeat", "expand_ratio", "expand_groups", "project_groups")


@dataclass(frozen=True)
class BlockArgs:
    """`num_repeat` inverted residual blocks: expand, depthwise convolution, squeeze-excite, project.

    In a fused block of EfficientNetV2, one full convolution replaces the expansion and the depthwise convolution.

    Only the first block has `strides` and takes `input_filters`. The others keep the size and the number of filters.

    Args:
        input_filters: Filters that the first block takes.
        output_filters: Filters that every block gives.
        kernel_size: Of the depthwise convolution, or of the full one. Several sizes make it a mixed one.
        strides: Of the first block, the same for height and width.
        num_repeat: The number of blocks.
        se_ratio: Squeeze-excite's inner width as a fraction of the block's input filters. None: no squeeze-excite.
        expand_ratio: Expanded filters per input filter. 1: no expansion.
        identity_skip: Whether the input is added to the output where their shapes are equal.
        activation: None: the network's.
        norm: "bn", "an", "iebn" or a Norm. None: the network's.
        expand_groups, project_groups: Groups of MixNet's 1x1 convolutions.
        fused: Whether the blocks are EfficientNetV2's fused ones.

    Raises:
        ValueError: An argument is out of range. The message names it.

    Example:
        >>> BlockArgs.from_block_string("r2_k3.5_s22_e6_i16_o24").kernel_sizes
        (3, 5)
    """

    input_filters: int
    output_filters: int
    kernel_size: int | tuple[int, ...] = 3
    strides: int | tuple[int, int] = (1, 1)
    num_repeat: int = 1
    se_ratio: float | None = None
    expand_ratio: int = 1
    identity_skip: bool = True
    activation: str | None = None
    norm: str | Norm | None = None
    expand_groups: int = 1
    project_groups: int = 1
    fused: bool = False

    def __post_init__(self) -> None:
        for name in (
            "input_filters",
            "output_filters",
            "num_repeat",
            "expand_ratio",
            "expand_groups",
            "project_groups",
        ):
            _check_count(name, getattr(self, name))
        # Different spellings of a block are equal: [3] is 3, [3, 5] is (3, 5), a stride of 2 is (2, 2).
        kernel_sizes = _as_tuple("kernel_size", self.kernel_size)
        object.__setattr__(self, "kernel_size", kernel_sizes[0] if len(kernel_sizes) == 1 else kernel_sizes)
        strides = _as_tuple("strides", self.strides)
        strides = strides * 2 if len(strides) == 1 else strides
        if len(strides) != 2 or strides[0] != strides[1] or strides[0] > 9:
            raise ValueError(f"BlockArgs.strides: {self.strides!r}, give one stride for both sides, from 1 to 9")
        object.__setattr__(self, "strides", strides)
        if not self.se_ratio:
            object.__setattr__(self, "se_ratio", None)
        elif not 0 < self.se_ratio <= 1:
            raise ValueError(f"BlockArgs.se_ratio: {self.se_ratio!r}, give a fraction in (0, 1], or None")
        if self.activation is not None and self.activation not in ACTIVATIONS:
            raise ValueError(f"BlockArgs.activation: {self.activation!r}, give one of {', '.join(ACTIVATIONS)}")
        if self.fused and (len(kernel_sizes) > 1 or self.expand_groups > 1 or self.project_groups > 1):
            raise ValueError("BlockArgs.fused: a fused block has one kernel size and no groups")
        try:
            norm = Norm.of(self.norm)
        except ValueError as error:
            raise ValueError(f"BlockArgs.{error}") from None
        object.__setattr__(self, "norm", None if norm == Norm() else norm)

    @property
    def kernel_sizes(self) -> tuple[int, ...]:
        """The kernel sizes of the depthwise convolution, one per group of channels."""
        return (self.kernel_size,) if isinstance(self.kernel_size, int) else self.kernel_size

    @property
    def stride(self) -> int:
        """The stride of the first block, the same for height and width."""
        return self.strides if isinstance(self.strides, int) else self.strides[0]

    @property
    def expanded_filters(self) -> int:
        """The channels between expansion and projection."""
        return self.input_filters * self.expand_ratio

    @property
    def se_filters(self) -> int:
        """The channels inside squeeze-excite, 0 without it."""
        return max(1, int(self.input_filters * self.se_ratio)) if self.se_ratio else 0

    @property
    def has_skip(self) -> bool:
        """Whether the input is added to the output."""
        return self.identity_skip and self.stride == 1 and self.input_filters == self.output_filters

    @classmethod
    def from_block_string(cls, text: str) -> "BlockArgs":
        """Reads a block string. block_string.py has the grammar."""
        return cls(**block_string.parse(text))

    def to_block_string(self) -> str:
        """Returns the block string. `from_block_string` makes an equal block of it."""
        return block_string.write(vars(self))


def _check_count(name: str, value: Any) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"BlockArgs.{name}: {value!r}, give a whole number from 1")


def _as_tuple(name: str, value: Any) -> tuple[int, ...]:
    values = tuple(value) if isinstance(value, Iterable) and not isinstance(value, str) else (value,)
    if not values:
        raise ValueError(f"BlockArgs.{name}: empty, give at least one whole number")
    for each in values:
        _check_count(name, each)
    return values
