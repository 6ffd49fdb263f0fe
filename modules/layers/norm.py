"""Norm: a kind of normalization as one value, from the configuration to the layer. Needs no Keras."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple


class NormCost(NamedTuple):
    """The weights of a normalization layer, and its multiply-adds beyond one for each value."""

    trainable: int
    fixed: int
    multiply_adds: int


# The cost by channels c and mixtures k. All keep two moving statistics per channel.
KINDS: Mapping[str, Callable[[int, int], NormCost]] = {
    "bn": lambda c, k: NormCost(2 * c, 2 * c, 0),
    "an": lambda c, k: NormCost(3 * k * c + k, 2 * c, 3 * k * c),  # k affine maps, and the attention
    "iebn": lambda c, k: NormCost(4 * c, 2 * c, 2 * c),  # the gate, and the affine map
}


@dataclass(frozen=True)
class Norm:
    """A kind of normalization and its number of mixtures.

    Args:
        kind: "bn", "an" or "iebn". None: the kind of the whole network.
        n_mixture: For "an", the number of pairs of scale and offset. None: that of the whole network, or 5.

    Raises:
        ValueError: There is no such kind, or n_mixture is not a whole number from 1.

    Example:
        >>> Norm("an", n_mixture=10)
        Norm(kind='an', n_mixture=10)
    """

    kind: str | None = None
    n_mixture: int | None = None

    def __post_init__(self) -> None:
        if self.kind is not None and self.kind not in KINDS:
            raise ValueError(f"norm: {self.kind!r} is unknown; give one of {', '.join(KINDS)}")
        if self.n_mixture is not None and (
            not isinstance(self.n_mixture, int) or isinstance(self.n_mixture, bool) or self.n_mixture < 1
        ):
            raise ValueError(f"norm.n_mixture: {self.n_mixture!r}, give a whole number from 1")

    @classmethod
    def of(cls, value: "str | Norm | Mapping[str, Any] | None") -> "Norm":
        """Reads a kind, or a mapping with `kind` and `n_mixture`.

        Raises:
            ValueError: It is neither.
        """
        if isinstance(value, Norm):
            return value
        if value is None or isinstance(value, str):
            return cls(value)
        if isinstance(value, Mapping) and value.keys() <= {"kind", "n_mixture"}:
            return cls(**value)
        raise ValueError(f"norm: {value!r} is neither a kind, such as an, nor {{kind: an, n_mixture: 5}}")

    def or_else(self, other: "Norm") -> "Norm":
        """Returns this norm with what it leaves open taken from the other one."""
        return Norm(self.kind or other.kind, self.n_mixture or other.n_mixture)

    def cost(self, channels: int) -> NormCost:
        """Returns the cost of a layer. The norm must be complete."""
        assert self.kind is not None and self.n_mixture is not None
        return KINDS[self.kind](channels, self.n_mixture)


DEFAULT_NORM = Norm("bn", 5)
