"""The parts of a network from the image to the class: stem and blocks, head, classifier."""

from typing import Any

import keras

from efficientmixnet.modules.layers import dense_initializer
from efficientmixnet.modules.network.block import inverted_residual
from efficientmixnet.modules.network.fused_block import fused_block
from efficientmixnet.modules.network.layer_options import LayerOptions, activation_layer
from efficientmixnet.modules.network.plan import NetworkPlan


def feature_maps(x: Any, plan: NetworkPlan, options: LayerOptions) -> dict[str, Any]:
    """Returns the last feature map of each stride: {"stride2": (batch, height / 2, width / 2, filters), ...}."""
    x = options.convolution(plan.stem_filters, kernel_size=3, strides=plan.stem_stride, name="stem_conv")(x)
    x = options.normalization(plan.norm.away_from_depthwise(), "stem_norm")(x)
    x = activation_layer(plan.activation, "stem_activation")(x)  # (batch, height / 2, width / 2, stem_filters)
    stride = plan.stem_stride
    maps = {f"stride{stride}": x}
    for block in plan.blocks:
        x = (fused_block if block.args.fused else inverted_residual)(x, block, options)
        stride *= block.args.stride
        maps[f"stride{stride}"] = x
    return maps


def head(maps: dict[str, Any], plan: NetworkPlan, options: LayerOptions) -> Any:
    """Builds the head: the last feature map -> (batch, height / 32, width / 32, head_filters)."""
    *_, x = maps.values()
    x = options.convolution(plan.head_filters, name="head_conv")(x)
    x = options.normalization(plan.norm.away_from_depthwise(), "head_norm")(x)
    return activation_layer(plan.activation, "head_activation")(x)


def classifier(x: Any, classes: int, activation: str | None, dropout_rate: float) -> Any:
    """Builds the classifier: (batch, features) -> (batch, classes), in float32 even with mixed precision."""
    if not 0 <= dropout_rate < 1:
        raise ValueError(f"dropout_rate: {dropout_rate}, give one in [0, 1)")
    if dropout_rate > 0:
        x = keras.layers.Dropout(dropout_rate, name="dropout")(x)
    mixed_precision = keras.config.dtype_policy().compute_dtype in ("float16", "bfloat16")
    return keras.layers.Dense(
        classes,
        activation=activation,
        kernel_initializer=dense_initializer(),
        dtype="float32" if mixed_precision else None,
        name="predictions",
    )(x)
