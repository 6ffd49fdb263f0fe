"""EfficientNetBuilder: builds every network here, from a variant, a block list or a compound coefficient."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras

from efficientmixnet.modules.layers.norm import Norm
from efficientmixnet.modules.network.block_args import BlockArgs
from efficientmixnet.modules.network.body import classifier, feature_maps, head
from efficientmixnet.modules.network.choices import ACTIVATIONS
from efficientmixnet.modules.network.layer_options import LayerOptions
from efficientmixnet.modules.network.plan import SQUEEZE_EXCITE, as_blocks, plan_network, total_stride
from efficientmixnet.modules.network.scaling import compound_scale
from efficientmixnet.modules.network.variants import EFFICIENTNET_BLOCKS, Variant, get_variant
from efficientmixnet.modules.network.weights.pretrained import load_pretrained

POOLINGS = ("avg", "max", None)

_ALLOWED: dict[str, tuple[str | None, ...]] = {
    "pooling": POOLINGS,
    "data_format": ("channels_last", "channels_first", None),
    "activation": (*ACTIVATIONS, None),
    "squeeze_excite": SQUEEZE_EXCITE,
}
_KINDS: tuple[tuple[str, tuple[type, ...], str], ...] = (
    ("input_shape", (tuple, list, type(None)), "a tuple or None"),
    ("include_top", (bool,), "True or False"),
)

_COUNTS = ("classes", "depth_divisor")
_COUNTS_OR_NONE = ("min_depth", "embedding_width")


@dataclass(frozen=True)
class EfficientNetBuilder:
    """Builds EfficientNets and MixNets. A builder is immutable, so building twice gives the same model.

    The model takes images, (batch, height, width, channels) or channels first. With `include_top` it returns (batch,
    classes). Without it, it returns the feature map (batch, height / 32, width / 32, head filters), or with `pooling`
    (batch, head filters). With `features` it has no head and no classifier, and returns the last feature map of each
    stride: {"stride2": ..., ..., "stride32": ...}.

    Args:
        input_shape: Without the batch. Height and width can be None. None: the variant's size, and three channels.
        include_top: Whether the model has a classifier.
        weights: None for random weights, "imagenet", or a path to a .weights.h5, .keras or timm .safetensors file.
        input_tensor: A Keras tensor to use as the input.
        pooling: "avg", "max" or None. With `include_top`, None flattens the feature map.
        classes: The number of classes.
        drop_connect_rate: The rate of the last block. It grows linearly from 0 at the first block.
        data_format: "channels_last" or "channels_first". None: Keras's image_data_format().
        mixed: Whether EfficientNet's blocks get mixed depthwise kernels.
        activation: Of every block, the stem and the head. None: the network's own.
        typeBN, n_mixture: The names of 2019 for the two parts of `norm`.
        batch_norm_momentum, batch_norm_epsilon: Of the normalizations.
        depth_divisor: Scaled filters are multiples of this number.
        min_depth: The smallest number of scaled filters. None: `depth_divisor`.
        classifier_activation: None for logits.
        embedding_width: The number of head filters, not scaled. None: the network's own.
        features: Whether the model returns feature maps by stride.
        synchronized: Whether normalizations use the batch of all replicas.
        stem_stride: The stride of the first convolution: 2, or 1 for small images. None: the network's own.
        norm: Of every block, the stem and the head: "bn", "an", "iebn" or a Norm. None: the network's own.
        squeeze_excite: "always" for the blocks' own, "never", or "auto" for none in blocks with "an".

    Raises:
        ValueError: An argument is out of range. The message names it.

    Example:
        >>> EfficientNetBuilder(input_shape=(64, 64, 3), classes=10, norm="an").default_model("B0").output_shape
        (None, 10)
    """

    input_shape: tuple[int | None, ...] | None = None
    include_top: bool = True
    weights: str | Path | None = None
    input_tensor: Any = None
    pooling: str | None = "avg"
    classes: int = 1000
    drop_connect_rate: float = 0.2
    data_format: str | None = None
    mixed: bool = False
    activation: str | None = None
    typeBN: str | None = None
    n_mixture: int | None = None
    batch_norm_momentum: float = 0.99
    batch_norm_epsilon: float = 1e-3
    depth_divisor: int = 8
    min_depth: int | None = None
    classifier_activation: str | None = "softmax"
    embedding_width: int | None = None
    features: bool = False
    synchronized: bool = False
    norm: str | Norm | None = None
    squeeze_excite: str = "always"
    stem_stride: int | None = None

    def __post_init__(self) -> None:
        for name, kinds, taken in _KINDS:
            value = getattr(self, name)
            if not isinstance(value, kinds):
                raise ValueError(
                    f"EfficientNetBuilder: {name}={value!r}, give {taken}; the arguments are input_shape, "
                    "include_top, weights and so on, which is not keras.applications' order"
                )
        for name, allowed in _ALLOWED.items():
            value = getattr(self, name)
            if value not in allowed:
                raise ValueError(f"EfficientNetBuilder: {name}={value!r}, give one of {', '.join(map(str, allowed))}")
        for name in (*_COUNTS, *(name for name in _COUNTS_OR_NONE if getattr(self, name) is not None)):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"EfficientNetBuilder: {name}={value!r}, give a whole number from 1")
        if self.stem_stride not in (None, 1, 2):
            raise ValueError(f"EfficientNetBuilder: stem_stride={self.stem_stride!r}, give 1 or 2")
        for name in ("drop_connect_rate", "batch_norm_momentum"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"EfficientNetBuilder: {name}={getattr(self, name)}, give one in [0, 1)")
        if not 0 < self.batch_norm_epsilon < math.inf:
            raise ValueError(f"EfficientNetBuilder: batch_norm_epsilon={self.batch_norm_epsilon}, give one above 0")
        _ = self._norm

    @property
    def _norm(self) -> Norm:
        """Returns the norm from `norm` or from the two arguments of 2019."""
        try:
            norm, of_2019 = Norm.of(self.norm), Norm(self.typeBN, self.n_mixture)
        except ValueError as error:
            raise ValueError(f"EfficientNetBuilder: {error}") from None
        both = norm.or_else(of_2019)
        if both != of_2019.or_else(norm):
            raise ValueError(
                f"EfficientNetBuilder: norm={self.norm!r} contradicts typeBN={self.typeBN!r} and "
                f"n_mixture={self.n_mixture!r}; give only norm"
            )
        return both

    def default_model(
        self, name: str = "B0", *, dropout_rate: float | None = None, model_name: str | None = None
    ) -> keras.Model:
        """Builds a published network.

        Args:
            name: Such as "B0" or "MixNetS"; `list_variants` has all names.
            dropout_rate: Before the classifier. None: the variant's own.
            model_name: The model's name. None: the variant's.

        Returns:
            A Keras model.

        Raises:
            ValueError: There is no such variant.
        """
        return self._build(get_variant(name), dropout_rate, model_name)

    def custom_model(
        self,
        block_list: Iterable[BlockArgs | str],
        width_coefficient: float = 1.0,
        depth_coefficient: float = 1.0,
        default_size: int = 224,
        dropout_rate: float = 0.2,
        *,
        stem_filters: int = 32,
        head_filters: int = 1280,
        model_name: str = "EfficientNet",
    ) -> keras.Model:
        """Builds a network from blocks.

        Args:
            block_list: BlockArgs or block strings.
            width_coefficient: Multiplies the filters.
            depth_coefficient: Multiplies the repeats.
            default_size: The side of the input images in pixels, if the builder has no input_shape.
            dropout_rate: Before the classifier.
            stem_filters: Filters of the first convolution.
            head_filters: Filters of the last convolution.
            model_name: The model's name.

        Returns:
            A Keras model.

        Raises:
            ValueError: The blocks do not fit together.
        """
        blocks = as_blocks(block_list)
        if self.mixed and all(len(block.kernel_sizes) == 1 for block in blocks):
            raise ValueError(
                "custom_model: mixed=True, but every block has one kernel size; give some blocks several, like k3.5.7"
            )
        variant = Variant(
            model_name,
            blocks,
            width_coefficient,
            depth_coefficient,
            default_size,
            dropout_rate,
            stem_filters,
            head_filters,
        )
        return self._build(variant)

    def scaled_model(
        self,
        phi: float,
        alpha: float = 1.2,
        beta: float = 1.1,
        gamma: float = 1.15,
        *,
        dropout_rate: float = 0.2,
        model_name: str | None = None,
    ) -> keras.Model:
        """Builds an EfficientNet by compound coefficient: depth alpha^phi, width beta^phi, size 224 gamma^phi.

        Args:
            phi: The compound coefficient. 0 is B0.
            alpha, beta, gamma: The bases of depth, width and image size.
            dropout_rate: Before the classifier.
            model_name: The model's name.

        Returns:
            A Keras model.
        """
        scale = compound_scale(phi, alpha, beta, gamma)
        variant = Variant(f"EfficientNet_phi{phi:g}", EFFICIENTNET_BLOCKS, *scale, dropout_rate=dropout_rate)
        return self._build(variant, model_name=model_name)

    def _build(self, variant: Variant, dropout_rate: float | None = None, model_name: str | None = None) -> keras.Model:
        if self.stem_stride is not None:
            variant = replace(variant, stem_stride=self.stem_stride)
        plan = plan_network(
            variant.mixed() if self.mixed else variant,
            drop_connect_rate=self.drop_connect_rate,
            activation=self.activation,
            norm=self._norm,
            squeeze_excite=self.squeeze_excite,
            depth_divisor=self.depth_divisor,
            min_depth=self.min_depth,
            embedding_width=self.embedding_width,
        )
        options = LayerOptions(
            self.data_format or keras.config.image_data_format(),
            self.batch_norm_momentum,
            self.batch_norm_epsilon,
            self.synchronized,
        )
        inputs = self._inputs(
            variant.default_size, total_stride([block.args for block in plan.blocks], plan.stem_stride), options
        )
        maps = feature_maps(inputs, plan, options)
        outputs = maps if self.features else self._top(head(maps, plan, options), variant, dropout_rate, options)
        sources = inputs
        if self.input_tensor is not None:
            sources = keras.utils.get_source_inputs(self.input_tensor)
            sources = sources[0] if len(sources) == 1 else sources
        model = keras.Model(sources, outputs, name=model_name or variant.name)
        return model if self.weights is None else load_pretrained(model, self.weights, variant.name)

    def _inputs(self, default_size: int, smallest: int, options: LayerOptions) -> Any:
        last = options.data_format == "channels_last"
        if self.input_tensor is not None:
            inputs = self.input_tensor
        else:
            default = (default_size, default_size, 3) if last else (3, default_size, default_size)
            inputs = keras.Input(self.input_shape or default, name="image")
        if len(inputs.shape) != 4:
            raise ValueError(f"EfficientNetBuilder: input_shape={self.input_shape}, give height, width and channels")
        for side in inputs.shape[1:3] if last else inputs.shape[2:4]:
            if side is not None and side < smallest:
                raise ValueError(
                    f"EfficientNetBuilder: input_shape has a side of {side}, the strides need at least {smallest}"
                )
        return inputs

    def _top(self, x: Any, variant: Variant, dropout_rate: float | None, options: LayerOptions) -> Any:
        """Returns probabilities, an embedding or the feature map, as the builder says."""
        match self.pooling:
            case "avg":
                x = keras.layers.GlobalAveragePooling2D(data_format=options.data_format, name="pool")(x)
            case "max":
                x = keras.layers.GlobalMaxPooling2D(data_format=options.data_format, name="pool")(x)
            case None if self.include_top:
                if None in x.shape[1:]:
                    raise ValueError(
                        'EfficientNetBuilder: pooling=None flattens a map of unknown size; give pooling="avg" or a size'
                    )
                x = keras.layers.Flatten(data_format=options.data_format, name="flatten")(x)
        if not self.include_top:
            return x
        return classifier(
            x,
            self.classes,
            self.classifier_activation,
            variant.dropout_rate if dropout_rate is None else dropout_rate,
        )
