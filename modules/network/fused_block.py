"""fused_block: EfficientNetV2's block with a full convolution, for devices that are slow at depthwise ones."""

from typing import Any

import keras

from efficientmixnet.modules.layers import DropConnect
from efficientmixnet.modules.network.layer_options import LayerOptions, activation_layer
from efficientmixnet.modules.network.plan import PlannedBlock


def fused_block(x: Any, block: PlannedBlock, options: LayerOptions) -> Any:
    """Builds a fused block.

        expand (k x k) -> norm -> act -> squeeze-excite -> project (1x1) -> norm (+ input)
        with an expansion of 1: squeeze-excite -> convolution (k x k) -> norm -> act (+ input)

    Tan and Le, "EfficientNetV2", arXiv 2104.00298. As in keras.applications. A norm that is only behind depthwise
    convolutions is bn here.

    Shape: (batch, height, width, input_filters) -> (batch, height / stride, width / stride, output_filters).
    """
    args, name, inputs = block.args, block.name, x
    activation = str(args.activation)
    norm, kernel_size, strides = block.norm.away_from_depthwise(), args.kernel_sizes[0], args.stride
    if expands := args.expand_ratio != 1:
        x = options.convolution(args.expanded_filters, kernel_size, strides, name=f"{name}_expand_conv")(x)
        x = options.normalize_and_activate(x, norm, activation, f"{name}_expand")
        kernel_size = strides = 1
    if args.se_ratio:
        x = options.squeeze_excite(args.se_ratio, args.input_filters, activation, name)(x)
    x = options.convolution(args.output_filters, kernel_size, strides, name=f"{name}_project_conv")(x)
    x = options.normalization(norm, f"{name}_project_norm")(x)
    if not expands:
        x = activation_layer(activation, f"{name}_project_activation")(x)
    return add_skip(inputs, x, block)


def add_skip(inputs: Any, x: Any, block: PlannedBlock) -> Any:
    """Adds the block's input to its output, if their shapes are equal. In training, some samples skip the block."""
    if not block.args.has_skip:
        return x
    if block.drop_rate > 0:
        x = DropConnect(block.drop_rate, name=f"{block.name}_drop_connect")(x)
    return keras.layers.Add(name=f"{block.name}_add")([inputs, x])
