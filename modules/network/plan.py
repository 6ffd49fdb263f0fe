"""NetworkPlan: a network as data, with all blocks scaled, repeated and named, before any layer is built.

The builder, the cost and the loaders of weights all use it.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from efficientmixnet.modules.layers.norm import DEFAULT_NORM, Norm
from efficientmixnet.modules.network.block_args import BlockArgs
from efficientmixnet.modules.network.scaling import round_filters, round_repeats
from efficientmixnet.modules.network.variants import Variant, get_variant, group_stages

# Whether blocks keep their squeeze-excite. auto: those with AN do not, because AN contains it.
SQUEEZE_EXCITE = ("always", "auto", "never")


@dataclass(frozen=True)
class PlannedBlock:
    """A block: its name, its complete arguments, and the fraction of samples that skip it in training."""

    name: str
    args: BlockArgs
    drop_rate: float

    @property
    def norm(self) -> Norm:
        assert isinstance(self.args.norm, Norm)
        return self.args.norm


@dataclass(frozen=True)
class NetworkPlan:
    """A network: the stem, the blocks in order, and the head."""

    stem_filters: int
    stem_stride: int
    head_filters: int
    activation: str
    norm: Norm
    blocks: tuple[PlannedBlock, ...]


def plan_network(
    variant: Variant,
    *,
    drop_connect_rate: float = 0.2,
    activation: str | None = None,
    norm: str | Norm | None = None,
    squeeze_excite: str = "always",
    depth_divisor: int = 8,
    min_depth: int | None = None,
    embedding_width: int | None = None,
) -> NetworkPlan:
    """Returns the plan of a variant. A given activation or norm replaces that of all blocks, stem and head."""

    given = Norm.of(norm)

    def width(filters: int) -> int:
        return round_filters(filters, variant.width_coefficient, depth_divisor, min_depth)

    rows: list[tuple[str, BlockArgs]] = []
    for stage_number, stage in enumerate(group_stages(variant.blocks), start=1):
        block_number = 0
        for row in stage:
            own_norm = given.or_else(Norm.of(row.norm)).or_else(DEFAULT_NORM)
            built = own_norm.away_from_depthwise() if row.fused else own_norm
            without = squeeze_excite == "never" or (squeeze_excite == "auto" and built.kind == "an")
            first = replace(
                row,
                num_repeat=1,
                input_filters=width(row.input_filters),
                output_filters=width(row.output_filters),
                activation=activation or row.activation or variant.activation,
                norm=own_norm,
                se_ratio=None if without else row.se_ratio,
            )
            rest = replace(first, input_filters=first.output_filters, strides=1)
            for repeat in range(round_repeats(row.num_repeat, variant.depth_coefficient)):
                block_number += 1
                rows.append((f"stage{stage_number}_block{block_number}", rest if repeat else first))

    blocks = tuple(
        PlannedBlock(name, args, drop_connect_rate * index / len(rows) if args.has_skip else 0.0)
        for index, (name, args) in enumerate(rows)
    )
    plan = NetworkPlan(
        stem_filters=width(variant.stem_filters),
        stem_stride=variant.stem_stride,
        head_filters=embedding_width or (width(variant.head_filters) if variant.scale_head else variant.head_filters),
        activation=activation or variant.activation,
        norm=given.or_else(DEFAULT_NORM),
        blocks=blocks,
    )
    _check_joints(plan)
    return plan


def as_blocks(block_list: Iterable[BlockArgs | str]) -> tuple[BlockArgs, ...]:
    """Returns the blocks as BlockArgs. Block strings are parsed."""
    blocks = tuple(BlockArgs.from_block_string(b) if isinstance(b, str) else b for b in block_list)
    if not blocks:
        raise ValueError("block list: it is empty; give at least one block")
    return blocks


def total_stride(blocks: Sequence[BlockArgs | str], stem_stride: int = 2) -> int:
    """Returns the factor by which the stem and the blocks reduce height and width.

    Example:
        >>> total_stride(["r1_k3_s22_e1_i32_o16"])
        4
    """
    return stem_stride * math.prod(block.stride for block in as_blocks(blocks))


def smallest_image_size(network: str | Variant | Sequence[BlockArgs | str]) -> int:
    """Returns the side in pixels that the strides of a network reduce to one pixel.

    Args:
        network: A variant, its name, or a block list.

    Example:
        >>> smallest_image_size("B0")
        32
    """
    if isinstance(network, str):
        network = get_variant(network)
    if isinstance(network, Variant):
        return total_stride(network.blocks, network.stem_stride)
    return total_stride(network)


def _check_joints(plan: NetworkPlan) -> None:
    filters, source = plan.stem_filters, "the stem"
    for block in plan.blocks:
        if block.args.input_filters != filters:
            raise ValueError(
                f"{block.name}: takes {block.args.input_filters} input filters, but {source} gives {filters}; "
                "correct the block list or stem_filters"
            )
        filters, source = block.args.output_filters, block.name
