"""inverted_residual: the block of all networks here."""

from typing import Any

from efficientmixnet.modules.layers import MixedDepthwiseConv2D
from efficientmixnet.modules.network.fused_block import add_skip
from efficientmixnet.modules.network.layer_options import LayerOptions
from efficientmixnet.modules.network.plan import PlannedBlock


def inverted_residual(x: Any, block: PlannedBlock, options: LayerOptions) -> Any:
    """Builds an inverted residual block with squeeze-excite.

        expand (1x1) -> norm -> act -> depthwise -> norm -> act -> squeeze-excite -> project (1x1) -> norm (+ input)

    Sandler et al., "MobileNetV2", arXiv 1801.04381; Tan et al., "MnasNet", arXiv 1807.11626.

    Shape: (batch, height, width, input_filters) -> (batch, height / stride, width / stride, output_filters).
    """
    args, name, inputs = block.args, block.name, x
    activation = str(args.activation)

    if args.expand_ratio != 1:
        x = options.convolution(args.expanded_filters, groups=args.expand_groups, name=f"{name}_expand_conv")(x)
        # (batch, height, width, expanded_filters)
        x = options.normalize_and_activate(x, block.norm.away_from_depthwise(), activation, f"{name}_expand")
    x = MixedDepthwiseConv2D(
        args.kernel_sizes, args.stride, data_format=options.data_format, name=f"{name}_depthwise_conv"
    )(x)
    # (batch, height / stride, width / stride, expanded_filters)
    x = options.normalize_and_activate(x, block.norm, activation, f"{name}_depthwise")
    if args.se_ratio:
        x = options.squeeze_excite(args.se_ratio, args.input_filters, activation, name)(x)
    x = options.convolution(args.output_filters, groups=args.project_groups, name=f"{name}_project_conv")(x)
    x = options.normalization(block.norm.away_from_depthwise(), f"{name}_project_norm")(x)
    return add_skip(inputs, x, block)
