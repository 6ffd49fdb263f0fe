"""NetworkConfig: the section `network` of the configuration."""

import math
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, model_validator

from efficientmixnet.modules.config.section import PathText, Probability, Section
from efficientmixnet.modules.layers.norm import Norm
from efficientmixnet.modules.network.ladder import SMALLEST
from efficientmixnet.modules.network.plan import as_blocks, plan_network, smallest_image_size
from efficientmixnet.modules.network.scaling import round_repeats
from efficientmixnet.modules.network.variants import Variant, get_variant, list_variants
from efficientmixnet.modules.network.weights.published import IMAGENET_VARIANTS


def _written(norm: Norm) -> str | dict[str, Any] | None:
    return norm.given if norm.given.keys() - {"kind"} else norm.kind


def _read(value: Any) -> Norm:
    try:
        return Norm.of(value)
    except ValueError as error:
        raise ValueError(f"network.{error}") from None


NormField = Annotated[Norm, BeforeValidator(_read), PlainSerializer(_written)]


_MOST_FILTERS = 65_536
_MOST_MIXTURES = 1000
_MOST_BLOCKS = 1000
_MOST_WEIGHTS = 10**10


# The keys that a variant decides.
_SCALES = ("width", "depth")
_DECIDED: dict[str, tuple[str, ...]] = {
    "custom": (),
    "auto": (*_SCALES, "stem_filters", "head_filters", "stem_stride"),
}


def _default(name: str) -> Any:
    return NetworkConfig.model_fields[name].default


class NetworkConfig(Section):
    weights: PathText | None = None
    """The initial weights: imagenet, a file of weights, an exported model or latest, the blessed one; null: random."""
    variant: str = "B0"
    """B0 to B8, L2, MixNetS, MixNetM, MixNetL, MixNetXL, MixNetXXL, custom for the blocks below, or auto, which is for
    training.budget: the largest network that the budget allows."""
    blocks: tuple[str, ...] = ()
    """With custom: the block strings, such as r2_k3.5_s22_e6_i16_o24_se0.25."""
    width: float = Field(1.0, gt=0, le=100)
    """With custom: multiplies the number of filters of every block."""
    depth: float = Field(1.0, gt=0, le=100)
    """With custom: multiplies the number of repeats of every block."""
    stem_filters: int = Field(32, gt=0, le=_MOST_FILTERS)
    """With custom: the number of filters of the first convolution."""
    head_filters: int = Field(1280, gt=0, le=_MOST_FILTERS)
    """With custom: the number of filters of the last convolution."""
    stem_stride: Literal[1, 2] = 2
    """The stride of the first convolution; 1 for images of about 32 pixels."""
    image_size: int | None = Field(None, ge=1, le=8192)
    """The side of the network's square input, in pixels; null: chosen from the images, at most the variant's own."""
    crop_fraction: float | None = Field(None, ge=0.1, le=1)
    """Evaluation crops a central square with this fraction of the shorter side; null: 0.875, or 1 below 128 pixels."""
    mixed: bool = False
    """Whether depthwise convolutions mix several kernel sizes, as in MixNet."""
    activation: Literal["swish", "mish", "relu"] | None = None
    """swish, mish or relu; null: the variant's own, which is swish for B0 to B8."""
    norm: NormField = Norm()
    """bn: batch normalization, an: Attentive Normalization, iebn: Instance Enhancement Batch Normalization. an has 5
    mixtures; {kind: an, n_mixture: 10} sets another number. {kind: an, init: paper} starts it as in its paper.
    null: the norm of each block, or else bn."""
    norm_placement: Literal["all", "depthwise"] | None = None
    """all: the norm is everywhere; depthwise: only behind depthwise convolutions, with bn elsewhere; null: the
    placement of the norm, or else all."""
    squeeze_excite: Literal["auto", "always", "never"] = "always"
    """always: blocks have the squeeze-excite of the variant; never: none has; auto: blocks with an have none."""
    batch_norm_momentum: Probability | None = None
    """The momentum of the moving statistics; null: 0.99, or less if an epoch or the training has only a few
    steps."""
    dropout: Probability | None = None
    """The dropout rate before the classifier; null: the variant's own, or with training.budget one
    that depends on the epochs."""
    drop_connect: Probability | None = None
    """The stochastic depth rate of the last block. The rate grows linearly from 0 at the first block. null: 0.2, or
    with training.budget one that depends on the epochs."""

    @model_validator(mode="after")
    def _variant_takes_these_keys(self) -> "NetworkConfig":
        # The defaults are no choice: a configuration that was written and read has them all.
        given = (name for name in _DECIDED.get(self.variant, _SCALES) if getattr(self, name) != _default(name))
        if name := next(given, None):
            cure = "give a variant" if self.variant == "auto" else "use the variant custom with blocks"
            raise ValueError(f"{name}: the variant {self.variant} decides it; leave it out, or {cure}")
        return self

    @model_validator(mode="after")
    def _fits_together(self) -> "NetworkConfig":
        if self.variant == "custom":
            self._check_blocks()
        elif self.variant == "auto" and not self.blocks:
            self._check_weights_of_auto()
        elif self.blocks:
            raise ValueError(f"blocks: only the variant custom takes block strings, not {self.variant}")
        else:
            self._check_variant()
        if self.image_size is not None and self.image_size < self.smallest_image_size:
            raise ValueError(
                f"image_size: {self.image_size} pixels are too few for the network's strides; "
                f"give {self.smallest_image_size} or more"
            )
        return self

    def _check_blocks(self) -> None:
        try:
            variant = self.as_variant()
            if self.mixed and all(len(block.kernel_sizes) == 1 for block in variant.blocks):
                raise ValueError("network.mixed needs a block with several kernel sizes, such as k3.5.7")
            blocks = sum(round_repeats(block.num_repeat, self.depth) for block in variant.blocks)
            if blocks > _MOST_BLOCKS:
                raise ValueError(f"{blocks:,} blocks are too many; lower the repeats or depth")
            plan = plan_network(variant)
            weights = plan.head_filters * plan.blocks[-1].args.output_filters + sum(
                one.expanded_filters * (area + (area if one.fused else 1) * (one.input_filters + one.output_filters))
                for one, area in ((block.args, max(block.args.kernel_sizes) ** 2) for block in plan.blocks)
            )
            if weights > _MOST_WEIGHTS:
                raise ValueError(f"{weights:,} weights are too many; lower the filters, their expansion or width")
        except ValueError as error:
            raise ValueError(f"blocks: {error}") from None

    def _check_weights_of_auto(self) -> None:
        if self.weights not in (None, "imagenet"):
            raise ValueError("variant: auto cannot start from a file of weights; give the variant of the weights")

    def _check_variant(self) -> None:
        try:
            get_variant(self.variant)
        except ValueError:
            raise ValueError(
                f"variant: {self.variant!r} is none of {', '.join(list_variants())}, custom, auto"
            ) from None

    @model_validator(mode="after")
    def _mixtures_are_few(self) -> "NetworkConfig":
        norms = [self.norm, *(Norm.of(block.norm) for block in self.as_variant().blocks)]
        if most := next((norm.n_mixture for norm in norms if (norm.n_mixture or 0) > _MOST_MIXTURES), None):
            raise ValueError(f"norm.n_mixture: {most:,} is too many; give a number from 1 to {_MOST_MIXTURES:,}")
        return self

    @model_validator(mode="after")
    def _imagenet_knows_this_network(self) -> "NetworkConfig":
        if self.weights == "imagenet" and self.variant != "auto" and self.as_variant().name not in IMAGENET_VARIANTS:
            raise ValueError(
                f"weights: imagenet has no weights for the variant {self.variant}; use B0 to B7, MixNetS, MixNetM, "
                "MixNetL or MixNetXL, or give a path"
            )
        return self

    @property
    def placed_norm(self) -> Norm:
        """The norm with its placement."""
        return self.norm.or_else(Norm(placement=self.norm_placement))

    def as_variant(self) -> Variant:
        """Returns the network as a Variant, like those of the library's tables; for auto, the smallest candidate."""
        if self.variant == "auto":
            return SMALLEST if self.weights is None else replace(get_variant("B0"), stem_stride=1)
        if self.variant != "custom":
            variant = replace(get_variant(self.variant), stem_stride=self.stem_stride)
            return variant.mixed() if self.mixed else variant
        return Variant(
            "custom",
            as_blocks(self.blocks),
            width_coefficient=self.width,
            depth_coefficient=self.depth,
            stem_filters=self.stem_filters,
            head_filters=self.head_filters,
            stem_stride=self.stem_stride,
        )

    @property
    def smallest_image_size(self) -> int:
        """The smallest side in pixels. The last stride leaves one pixel of it."""
        return smallest_image_size(self.as_variant())

    @property
    def default_image_size(self) -> int:
        """The side that the variant was published with, in pixels."""
        return self.as_variant().default_size

    @property
    def evaluation_crop(self) -> float:
        """The fraction of the shorter side that evaluation crops."""
        if self.crop_fraction is not None:
            return self.crop_fraction
        return 0.875 if (self.image_size or self.default_image_size) >= 128 else 1.0

    @property
    def stored_side(self) -> int:
        """The shorter side of the images that Transform writes, in pixels. It includes the margin of the crop."""
        return math.ceil((self.image_size or self.default_image_size) / self.evaluation_crop)
