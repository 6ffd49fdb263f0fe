"""NetworkConfig: the section `network` of the configuration."""

import math
import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, model_validator

from efficientmixnet.modules.config.section import Probability, Section
from efficientmixnet.modules.layers.norm import Norm
from efficientmixnet.modules.network.plan import as_blocks, plan_network, smallest_image_size
from efficientmixnet.modules.network.variants import Variant, get_variant, list_variants


def _written(norm: Norm) -> str | dict[str, Any] | None:
    return norm.kind if norm.n_mixture is None else {"kind": norm.kind, "n_mixture": norm.n_mixture}


def _read(value: Any) -> Norm:
    try:
        return Norm.of(value)
    except ValueError as error:
        raise ValueError(f"network.{error}") from None


NormField = Annotated[Norm, BeforeValidator(_read), PlainSerializer(_written)]


class NetworkConfig(Section):
    weights: str | None = None
    """To start from: imagenet, the path of weights or of an exported model, or latest, the blessed one; null: none."""
    variant: str = "B0"
    """B0 to B8, L2, MixNetS, MixNetM, MixNetL, MixNetXL, MixNetXXL, or custom for the blocks below."""
    blocks: tuple[str, ...] = ()
    """With custom: block strings, such as r2_k3.5_s22_e6_i16_o24_se0.25."""
    width: float = Field(1.0, gt=0)
    """With custom: multiplies the filters of every block."""
    depth: float = Field(1.0, gt=0)
    """With custom: multiplies the repeats of every block."""
    stem_filters: int = Field(32, gt=0)
    """With custom: filters of the first convolution."""
    head_filters: int = Field(1280, gt=0)
    """With custom: filters of the last convolution."""
    image_size: int | None = Field(None, ge=1)
    """Side of the square that the network sees, pixels; null: by the images, at most the variant's own."""
    crop_fraction: float | None = Field(None, gt=0, le=1)
    """Evaluation sees the central square of this share of the shorter side; null: 0.875 from 128 pixels up, else 1."""
    mixed: bool = False
    """Mixed depthwise convolutions (MixNet's) instead of one kernel size a block."""
    activation: Literal["swish", "mish", "relu"] | None = None
    """swish, mish or relu; null: the variant's own, swish for B0 to B8."""
    norm: NormField = Norm("bn")
    """bn: batch normalization, an: Attentive Normalization, iebn: Instance Enhancement Batch Normalization. The number
    of mixtures of an is 5, or as in {kind: an, n_mixture: 10}."""
    batch_norm_momentum: Probability | None = None
    """Of the moving statistics; null: 0.99, or less where an epoch has too few steps for them to follow."""
    dropout: Probability | None = None
    """Before the classifier; null: the variant's own."""
    drop_connect: Probability = 0.2
    """Stochastic depth of the last block; the first one's is 0, those between grow linearly."""

    @model_validator(mode="after")
    def _fits_together(self) -> "NetworkConfig":
        if self.variant == "custom":
            self._check_blocks()
        elif self.blocks:
            raise ValueError(f"blocks: only variant custom takes block strings, not {self.variant}")
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
            plan_network(self.as_variant())
        except ValueError as error:
            raise ValueError(f"blocks: {error}") from None

    def _check_variant(self) -> None:
        try:
            get_variant(self.variant)
        except ValueError:
            raise ValueError(f"variant: {self.variant!r} is none of {', '.join(list_variants())}, custom") from None

    @model_validator(mode="after")
    def _imagenet_knows_this_network(self) -> "NetworkConfig":
        if self.weights == "imagenet":
            if re.fullmatch("(EfficientNet)?B[0-7]", self.variant) is None:
                raise ValueError(f"weights: imagenet has none for variant {self.variant}; take B0 to B7, or a path")
            if self.mixed or self.norm.kind != "bn" or self.activation not in (None, "swish"):
                raise ValueError("weights: imagenet knows no mixed convolutions, other norms or activations")
        return self

    def as_variant(self) -> Variant:
        """The network as the library's tables would have it."""
        if self.variant != "custom":
            variant = get_variant(self.variant)
            return variant.mixed() if self.mixed else variant
        return Variant(
            "custom",
            as_blocks(self.blocks),
            width_coefficient=self.width,
            depth_coefficient=self.depth,
            stem_filters=self.stem_filters,
            head_filters=self.head_filters,
        )

    @property
    def smallest_image_size(self) -> int:
        """Pixels: the side that leaves one pixel behind the last stride."""
        return smallest_image_size(self.as_variant())

    @property
    def default_image_size(self) -> int:
        """Pixels: the side that the variant was published with."""
        return self.as_variant().default_size

    @property
    def evaluation_crop(self) -> float:
        """The share of the shorter side that evaluation sees."""
        if self.crop_fraction is not None:
            return self.crop_fraction
        return 0.875 if (self.image_size or self.default_image_size) >= 128 else 1.0

    @property
    def stored_side(self) -> int:
        """Pixels: the shorter side of the images that Transform writes, the crop's margin included."""
        return math.ceil((self.image_size or self.default_image_size) / self.evaluation_crop)
