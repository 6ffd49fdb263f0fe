"""The cost of a network, stage by stage: parameters and multiply-adds, counted exactly from its plan, without Keras.

A multiply-add is a product with a weight of a convolution or dense layer (including those of squeeze-excite and AN), or
the scale and shift of a value in a normalization. With this definition the sums are closest to those of the papers:
within 1% for B0 to B2 and MixNet L, and 4% lower for MixNet S and M. Activations, poolings, gates and additions are not
counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from efficientmixnet.modules.layers.norm import Norm
from efficientmixnet.modules.network.block_args import BlockArgs
from efficientmixnet.modules.network.plan import NetworkPlan, PlannedBlock, as_blocks, plan_network
from efficientmixnet.modules.network.variants import Variant, get_variant


@dataclass(frozen=True)
class StageSummary:
    """One stage of a network. `fraction` is its part of all multiply-adds."""

    name: str
    blocks: int
    output_shape: tuple[int, ...]
    kernel_sizes: tuple[int, ...]
    parameters: int
    trainable: int
    multiply_adds: int
    fraction: float


@dataclass(frozen=True)
class NetworkSummary:
    """The stages of a network, and their sums."""

    name: str
    input_shape: tuple[int, int, int]
    stages: tuple[StageSummary, ...]

    @property
    def parameters(self) -> int:
        return sum(stage.parameters for stage in self.stages)

    @property
    def trainable(self) -> int:
        return sum(stage.trainable for stage in self.stages)

    @property
    def multiply_adds(self) -> int:
        return sum(stage.multiply_adds for stage in self.stages)


class _Cost(NamedTuple):
    trainable: int = 0
    fixed: int = 0
    multiply_adds: int = 0

    def __add__(self, other: "_Cost") -> "_Cost":  # type: ignore[override]
        return _Cost(*(a + b for a, b in zip(self, other, strict=True)))


_Row = tuple[str, int, tuple[int, ...], tuple[int, ...], _Cost]


def summarize(
    network: str | Variant | Sequence[BlockArgs | str],
    *,
    input_shape: tuple[int, int, int] | None = None,
    classes: int = 1000,
    include_top: bool = True,
    mixed: bool = False,
    activation: str | None = None,
    norm: str | Norm | None = None,
    squeeze_excite: str = "always",
    depth_divisor: int = 8,
    min_depth: int | None = None,
    embedding_width: int | None = None,
) -> NetworkSummary:
    """Counts the parameters and multiply-adds of a network.

    Args:
        network: A variant, its name, or a block list.
        input_shape: (height, width, channels). None: the variant's own.
        classes: The number of classes.
        include_top: Whether the classifier is counted.
        mixed, activation, norm, squeeze_excite, depth_divisor, min_depth, embedding_width: As in EfficientNetBuilder.

    Returns:
        A NetworkSummary.

    Raises:
        ValueError: There is no such variant, or the blocks do not fit together.

    Example:
        >>> summarize("B0").parameters
        5330564
    """
    if isinstance(network, str):
        network = get_variant(network)
    variant = network if isinstance(network, Variant) else Variant("EfficientNet", as_blocks(network))
    plan = plan_network(
        variant.mixed() if mixed else variant,
        activation=activation,
        norm=norm,
        squeeze_excite=squeeze_excite,
        depth_divisor=depth_divisor,
        min_depth=min_depth,
        embedding_width=embedding_width,
    )
    shape = input_shape or (variant.default_size, variant.default_size, 3)
    rows = _stages(plan, shape, classes if include_top else None)
    total = sum(cost.multiply_adds for *_, cost in rows)
    stages = (
        StageSummary(
            name=name,
            blocks=blocks,
            output_shape=output_shape,
            kernel_sizes=kernel_sizes,
            parameters=cost.trainable + cost.fixed,
            trainable=cost.trainable,
            multiply_adds=cost.multiply_adds,
            fraction=cost.multiply_adds / total,
        )
        for name, blocks, output_shape, kernel_sizes, cost in rows
    )
    return NetworkSummary(variant.name, shape, tuple(stages))


def _stages(plan: NetworkPlan, shape: tuple[int, int, int], classes: int | None) -> list[_Row]:
    size = _strided(shape[:2], plan.stem_stride)
    stem = _convolution(shape[2], plan.stem_filters, size, kernel_size=3)
    stem += _normalization(plan.norm.away_from_depthwise(), plan.stem_filters, size)
    rows: list[_Row] = [("stem", 1, (*size, plan.stem_filters), (3,), stem)]
    for name, blocks in groupby(plan.blocks, lambda block: block.name.split("_")[0]):
        cost, kernels, count, filters = _Cost(), set(), 0, 0
        for block in blocks:
            block_cost, size = _block(block, size)
            cost, count, filters = cost + block_cost, count + 1, block.args.output_filters
            kernels |= {*block.args.kernel_sizes}
        rows.append((name, count, (*size, filters), tuple(sorted(kernels)), cost))
    head = _convolution(rows[-1][2][-1], plan.head_filters, size)
    head += _normalization(plan.norm.away_from_depthwise(), plan.head_filters, size)
    rows.append(("head", 1, (*size, plan.head_filters), (1,), head))
    if classes is not None:
        products = plan.head_filters * classes
        rows.append(("classifier", 1, (classes,), (), _Cost(products + classes, 0, products)))
    return rows


def _block(block: PlannedBlock, size: Sequence[int]) -> tuple[_Cost, list[int]]:
    if block.args.fused:
        return _fused_block(block, size)
    args, middle, cost = block.args, block.args.expanded_filters, _Cost()
    elsewhere = block.norm.away_from_depthwise()
    if args.expand_ratio != 1:
        cost += _convolution(args.input_filters, middle, size, groups=args.expand_groups)
        cost += _normalization(elsewhere, middle, size)
    size = _strided(size, args.stride)
    for group, kernel_size in zip(_groups(middle, len(args.kernel_sizes)), args.kernel_sizes, strict=True):
        cost += _convolution(1, group, size, kernel_size)
    cost += _normalization(block.norm, middle, size)
    cost += _squeeze_excite(args)
    cost += _convolution(middle, args.output_filters, size, groups=args.project_groups)
    cost += _normalization(elsewhere, args.output_filters, size)
    return cost, list(size)


def _fused_block(block: PlannedBlock, size: Sequence[int]) -> tuple[_Cost, list[int]]:
    args, middle, norm = block.args, block.args.expanded_filters, block.norm.away_from_depthwise()
    size = _strided(size, args.stride)
    (kernel_size,) = args.kernel_sizes
    cost, last_kernel = _squeeze_excite(args), kernel_size
    if args.expand_ratio != 1:
        cost += _convolution(args.input_filters, middle, size, kernel_size)
        cost += _normalization(norm, middle, size)
        last_kernel = 1
    cost += _convolution(middle, args.output_filters, size, last_kernel)
    cost += _normalization(norm, args.output_filters, size)
    return cost, list(size)


def _squeeze_excite(args: BlockArgs) -> _Cost:
    products = 2 * args.expanded_filters * args.se_filters
    return _Cost(products + args.expanded_filters + args.se_filters, 0, products) if args.se_filters else _Cost()


def _convolution(inputs: int, outputs: int, size: Sequence[int], kernel_size: int = 1, groups: int = 1) -> _Cost:
    pairs = zip(_groups(inputs, groups), _groups(outputs, groups), strict=True)
    weights = kernel_size**2 * sum(i * o for i, o in pairs)
    return _Cost(weights, 0, weights * size[0] * size[1])


def _normalization(norm: Norm, filters: int, size: Sequence[int]) -> _Cost:
    trainable, fixed, multiply_adds = norm.cost(filters)
    return _Cost(trainable, fixed, filters * size[0] * size[1] + multiply_adds)


def _groups(channels: int, groups: int) -> list[int]:
    """C // g channels each, the remainder to the first group."""
    return [channels - channels // groups * (groups - 1)] + [channels // groups] * (groups - 1)


def _strided(size: Sequence[int], stride: int) -> list[int]:
    return [-(-side // stride) for side in size]
