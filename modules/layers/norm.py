"""Norm: a kind of normalization as one value, from the configuration to the layer. Needs no Keras."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
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


# Where a network has the norm: everywhere, or only behind the depthwise convolutions, with "bn" elsewhere.
PLACEMENTS = ("all", "depthwise")
# How a layer starts: as batch normalization would, or with the initial values of its paper.
INITS = ("bn", "paper")
_KINDS_OF_ARGUMENT = {"n_mixture": ("an",), "init": ("an", "iebn")}


@dataclass(frozen=True)
class Norm:
    """A kind of normalization with its settings.

    A setting of None is that of the whole network, or else the default.

    Args:
        kind: "bn", "an" or "iebn". The default is "bn".
        n_mixture: For "an", the number of pairs of scale and offset. The default is 5.
        placement: "all" (the default), or "depthwise" for only the norms behind depthwise convolutions. The AN paper
            replaces one norm of each residual block. The others are batch normalization.
        init: "bn" (the default) starts "an" and "iebn" as batch normalization. "paper" starts them as in the papers.

    Raises:
        ValueError: There is no such kind, placement or init, or n_mixture is not a whole number from 1.

    Example:
        >>> Norm("an", n_mixture=10).or_else(DEFAULT_NORM)
        Norm(kind='an', n_mixture=10, placement='all', init='bn')
    """

    kind: str | None = None
    n_mixture: int | None = None
    placement: str | None = None
    init: str | None = None

    def __post_init__(self) -> None:
        for name, known in (("kind", tuple(KINDS)), ("placement", PLACEMENTS), ("init", INITS)):
            value = getattr(self, name)
            if value is not None and value not in known:
                key = "norm" if name == "kind" else f"norm.{name}"
                raise ValueError(f"{key}: {value!r} is unknown; give one of {', '.join(known)}")
        if self.n_mixture is not None and (
            not isinstance(self.n_mixture, int) or isinstance(self.n_mixture, bool) or self.n_mixture < 1
        ):
            raise ValueError(f"norm.n_mixture: {self.n_mixture!r}, give a whole number from 1")

    @classmethod
    def of(cls, value: "str | Norm | Mapping[str, Any] | None") -> "Norm":
        """Reads a kind, or a mapping with the arguments.

        Raises:
            ValueError: It is neither, or an argument has no effect on the kind.
        """
        if isinstance(value, Norm):
            return value
        if value is None or isinstance(value, str):
            return cls(value)
        if isinstance(value, Mapping) and value.keys() <= vars(cls()).keys():
            norm = cls(**value)
            for name, kinds in _KINDS_OF_ARGUMENT.items():
                if name in norm.given and norm.kind not in (None, *kinds):
                    raise ValueError(f"norm.{name}: has no effect on {norm.kind}; use it with {' or '.join(kinds)}")
            return norm
        raise ValueError(f"norm: {value!r} is neither a kind, such as an, nor {{kind: an, n_mixture: 5}}")

    @property
    def given(self) -> dict[str, str | int]:
        """The settings that are not None."""
        return {name: value for name, value in vars(self).items() if value is not None}

    def or_else(self, other: "Norm") -> "Norm":
        """Returns this norm with what it leaves open taken from the other one."""
        return Norm(**{**other.given, **self.given})  # type: ignore[arg-type]

    def away_from_depthwise(self) -> "Norm":
        """Returns the norm of all layers that do not follow a depthwise convolution."""
        return replace(self, kind="bn") if self.placement == "depthwise" else self

    def cost(self, channels: int) -> NormCost:
        """Returns the cost of a layer. The norm must be complete."""
        assert self.kind is not None and self.n_mixture is not None
        return KINDS[self.kind](channels, self.n_mixture)


DEFAULT_NORM = Norm("bn", 5, "all", "bn")
