"""Keras layers of the networks, one a file."""

from efficientmixnet.modules.lazy_names import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "AttentiveNormalization": "attentive_normalization",
        "BatchNormalization": "batch_normalization",
        "DropConnect": "drop_connect",
        "GroupedPointwiseConv2D": "grouped_pointwise_conv2d",
        "InstanceEnhancementBatchNormalization": "instance_enhancement_batch_normalization",
        "Mish": "mish",
        "MixedDepthwiseConv2D": "mixed_depthwise_conv2d",
        "SqueezeExcite": "squeeze_excite",
        "Swish": "swish",
        "convolution_initializer": "initializers",
        "dense_initializer": "initializers",
        "normalization": "normalizations",
    },
)
