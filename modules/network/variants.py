"""The published networks as tables: EfficientNet B0 to B8 and L2, MixNet S to XXL.

Tan and Le, "EfficientNet", arXiv 1905.11946; "MixConv: Mixed Depthwise Convolutional Kernels", arXiv 1907.09595.
MixNet XL and XXL are timm's: MixNet M, wider and deeper.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from numbers import Real

from efficientmixnet.modules.network.block_args import BlockArgs


@dataclass(frozen=True)
class Variant:
    """A network before scaling, with its factors and its image size.

    `width_coefficient` scales `stem_filters` and the blocks' filters, and `head_filters` only with `scale_head`. The
    `activation` is that of the stem, the head and all blocks that do not name one.

    Raises:
        ValueError: A number is out of range. The message names it.
    """

    name: str
    blocks: tuple[BlockArgs, ...]
    width_coefficient: float = 1.0
    depth_coefficient: float = 1.0
    default_size: int = 224
    dropout_rate: float = 0.2
    stem_filters: int = 32
    head_filters: int = 1280
    scale_head: bool = True
    activation: str = "swish"
    stem_stride: int = 2  # of the first convolution; 1 for small images

    def __post_init__(self) -> None:
        for name in ("width_coefficient", "depth_coefficient"):
            value = getattr(self, name)
            if not isinstance(value, Real) or not 0 < float(value) < math.inf:
                raise ValueError(f"{name}: {value!r}, give a number above 0")
        for name in ("default_size", "stem_filters", "head_filters", "stem_stride"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"{name}: {value!r}, give a whole number from 1")

    def mixed(self) -> "Variant":
        """Returns the network with mixed depthwise kernels in EfficientNet's stages. A MixNet is returned unchanged."""
        if self.blocks is not EFFICIENTNET_BLOCKS:
            return self
        blocks = tuple(
            replace(block, kernel_size=sizes) for block, sizes in zip(self.blocks, MIXED_KERNEL_SIZES, strict=True)
        )
        return replace(self, blocks=blocks)


def _blocks(*rows: tuple) -> tuple[BlockArgs, ...]:
    """Makes BlockArgs from rows of repeats, kernel sizes, stride, expansion, input and output filters, and SE ratio."""
    return tuple(
        BlockArgs(i, o, k, s, num_repeat=r, expand_ratio=e, se_ratio=se, **groups)
        for r, k, s, e, i, o, se, groups in ((*row[:7], row[7] if len(row) > 7 else {}) for row in rows)
    )


_SWISH = {"activation": "swish"}
_EXPAND = {"expand_groups": 2}  # a1.1_p1
_PROJECT = {"project_groups": 2}  # a1_p1.1
_BOTH = _EXPAND | _PROJECT

EFFICIENTNET_BLOCKS = _blocks(
    # r  k  s  e    i    o    se
    (1, 3, 1, 1, 32, 16, 0.25),
    (2, 3, 2, 6, 16, 24, 0.25),
    (2, 5, 2, 6, 24, 40, 0.25),
    (3, 3, 2, 6, 40, 80, 0.25),
    (3, 5, 1, 6, 80, 112, 0.25),
    (4, 5, 2, 6, 112, 192, 0.25),
    (1, 3, 1, 6, 192, 320, 0.25),
)

MIXED_KERNEL_SIZES: tuple[tuple[int, ...], ...] = (
    (3,),
    (3, 5, 7),
    (5, 7, 9),
    (3, 5, 7),
    (3, 5, 7, 9),
    (3, 5, 7, 9),
    (3,),
)

MIXNET_S_BLOCKS = _blocks(
    (1, 3, 1, 1, 16, 16, None),
    (1, 3, 2, 6, 16, 24, None, _BOTH),
    (1, 3, 1, 3, 24, 24, None, _BOTH),
    (1, (3, 5, 7), 2, 6, 24, 40, 0.5, _SWISH),
    (3, (3, 5), 1, 6, 40, 40, 0.5, _SWISH | _BOTH),
    (1, (3, 5, 7), 2, 6, 40, 80, 0.25, _SWISH | _PROJECT),
    (2, (3, 5), 1, 6, 80, 80, 0.25, _SWISH | _PROJECT),
    (1, (3, 5, 7), 1, 6, 80, 120, 0.5, _SWISH | _BOTH),
    (2, (3, 5, 7, 9), 1, 3, 120, 120, 0.5, _SWISH | _BOTH),
    (1, (3, 5, 7, 9, 11), 2, 6, 120, 200, 0.5, _SWISH),
    (2, (3, 5, 7, 9), 1, 6, 200, 200, 0.5, _SWISH | _PROJECT),
)

MIXNET_M_BLOCKS = _blocks(
    (1, 3, 1, 1, 24, 24, None),
    (1, (3, 5, 7), 2, 6, 24, 32, None, _BOTH),
    (1, 3, 1, 3, 32, 32, None, _BOTH),
    (1, (3, 5, 7, 9), 2, 6, 32, 40, 0.5, _SWISH),
    (3, (3, 5), 1, 6, 40, 40, 0.5, _SWISH | _BOTH),
    (1, (3, 5, 7), 2, 6, 40, 80, 0.25, _SWISH),
    (3, (3, 5, 7, 9), 1, 6, 80, 80, 0.25, _SWISH | _BOTH),
    (1, 3, 1, 6, 80, 120, 0.5, _SWISH),
    (3, (3, 5, 7, 9), 1, 3, 120, 120, 0.5, _SWISH | _BOTH),
    (1, (3, 5, 7, 9), 2, 6, 120, 200, 0.5, _SWISH),
    (3, (3, 5, 7, 9), 1, 6, 200, 200, 0.5, _SWISH | _PROJECT),
)


def _efficientnet(name: str, width: float, depth: float, size: int, dropout: float) -> Variant:
    return Variant(f"EfficientNet{name}", EFFICIENTNET_BLOCKS, width, depth, size, dropout)


def _mixnet(
    name: str, blocks: tuple[BlockArgs, ...], width: float = 1.0, stem_filters: int = 24, dropout: float = 0.25
) -> Variant:
    return Variant(
        f"MixNet{name}",
        blocks,
        width,
        dropout_rate=dropout,
        stem_filters=stem_filters,
        head_filters=1536,
        scale_head=False,
        activation="relu",
    )


def group_stages(blocks: Sequence[BlockArgs]) -> tuple[tuple[BlockArgs, ...], ...]:
    """Groups rows into stages. A stage starts with a stride or with another number of output filters."""
    stages: list[list[BlockArgs]] = []
    for block in blocks:
        if stages and block.stride == 1 and block.output_filters == stages[-1][-1].output_filters:
            stages[-1].append(block)
        else:
            stages.append([block])
    return tuple(map(tuple, stages))


def deepen(blocks: Sequence[BlockArgs], depth: float) -> tuple[BlockArgs, ...]:
    """Scales the repeats stage by stage as timm does: the sum of a stage is rounded, and distributed from its end."""
    deeper: list[BlockArgs] = []
    for stage in group_stages(blocks):
        left = sum(block.num_repeat for block in stage)
        scaled_left = max(1, round(left * depth))
        repeats = []
        for block in reversed(stage):
            repeats.append(max(1, round(block.num_repeat / left * scaled_left)))
            left -= block.num_repeat
            scaled_left -= repeats[-1]
        deeper += [replace(block, num_repeat=r) for block, r in zip(stage, reversed(repeats), strict=True)]
    return tuple(deeper)


VARIANTS: dict[str, Variant] = {
    variant.name: variant
    for variant in (
        #             name  width depth size dropout
        _efficientnet("B0", 1.0, 1.0, 224, 0.2),
        _efficientnet("B1", 1.0, 1.1, 240, 0.2),
        _efficientnet("B2", 1.1, 1.2, 260, 0.3),
        _efficientnet("B3", 1.2, 1.4, 300, 0.3),
        _efficientnet("B4", 1.4, 1.8, 380, 0.4),
        _efficientnet("B5", 1.6, 2.2, 456, 0.4),
        _efficientnet("B6", 1.8, 2.6, 528, 0.5),
        _efficientnet("B7", 2.0, 3.1, 600, 0.5),
        _efficientnet("B8", 2.2, 3.6, 672, 0.5),
        _efficientnet("L2", 4.3, 5.3, 800, 0.5),
        _mixnet("S", MIXNET_S_BLOCKS, stem_filters=16, dropout=0.2),
        _mixnet("M", MIXNET_M_BLOCKS),
        _mixnet("L", MIXNET_M_BLOCKS, 1.3),
        _mixnet("XL", deepen(MIXNET_M_BLOCKS, 1.2), 1.6),
        _mixnet("XXL", deepen(MIXNET_M_BLOCKS, 1.3), 2.4),
    )
}


def list_variants() -> list[str]:
    """Returns the names of the ready variants, which are functions in `efficientmixnet.modules.network`.

    Example:
        >>> list_variants()[0]
        'EfficientNetB0'
    """
    return list(VARIANTS)


def get_variant(name: str) -> Variant:
    """Returns a variant by its name, in any usual spelling: B0, EfficientNetB0, efficientnet-b0, mixnet_s.

    Raises:
        ValueError: There is no such variant. The message lists all.

    Example:
        >>> get_variant("b0").default_size
        224
    """
    key = name.lower().replace("-", "").replace("_", "").removeprefix("tf")
    for variant in VARIANTS.values():
        if key in (variant.name.lower(), variant.name.lower().removeprefix("efficientnet")):
            return variant
    raise ValueError(f"variant {name!r}: unknown; give one of {', '.join(VARIANTS)}")
