"""MixedDepthwiseConv2D: a depthwise convolution with several kernel sizes (MixConv)."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from efficientmixnet.modules.layers.channel_groups import channel_groups, convolve_groups
from efficientmixnet.modules.layers.data_format import checked_data_format
from efficientmixnet.modules.layers.initializers import convolution_initializer, nth_draw
from efficientmixnet.modules.layers.kernels.depthwise_conv2d import depthwise_conv2d


@keras.saving.register_keras_serializable(package="efficientmixnet")
class MixedDepthwiseConv2D(keras.layers.Layer):
    """A depthwise convolution whose groups of channels have kernels of different sizes.

    Group i of the channels is convolved with kernel_size[i]. Groups have C // g channels each, and the first group has
    the remainder. Tan and Le, "MixConv: mixed depthwise convolutional kernels", arXiv 1907.09595.

    The kernels, `kernels` in order and named kernel_0, kernel_1, ..., have the shape (size, size, channels of the
    group, 1).

    Shape: (batch, height, width, channels) -> (batch, height / strides, width / strides, channels), or channels first.

    Args:
        kernel_size: One size, for an ordinary depthwise convolution, or a sequence of sizes.
        strides: Of height and width.
        padding: "same", or "valid" with one kernel size.
        dilation_rate: More than 1 only if strides is 1.
        data_format: "channels_last" or "channels_first". None: Keras's image_data_format().

    Raises:
        ValueError: There are fewer channels than kernel sizes, or the arguments are wrong or do not fit together.

    Example:
        >>> keras.ops.shape(MixedDepthwiseConv2D((3, 5, 7), strides=2)(keras.ops.zeros((2, 8, 8, 16))))
        (2, 4, 4, 16)
    """

    def __init__(
        self,
        kernel_size: int | Sequence[int],
        strides: int = 1,
        padding: str = "same",
        dilation_rate: int = 1,
        use_bias: bool = False,
        data_format: str | None = None,
        depthwise_initializer: Any = None,
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.kernel_size = (kernel_size,) if isinstance(kernel_size, int) else tuple(kernel_size)
        self.strides = strides
        self.padding = padding
        self.dilation_rate = dilation_rate
        self.use_bias = use_bias
        self.data_format = checked_data_format(data_format, "MixedDepthwiseConv2D")
        self.depthwise_initializer = keras.initializers.get(depthwise_initializer) or convolution_initializer()
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.depthwise_regularizer = keras.regularizers.get(depthwise_regularizer)
        self._check()

    def _check(self) -> None:
        if not self.kernel_size or min(self.kernel_size) < 1:
            raise ValueError(f"MixedDepthwiseConv2D: kernel_size needs sizes of at least 1, got {self.kernel_size}.")
        for name in ("strides", "dilation_rate"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"MixedDepthwiseConv2D: {name} must be a whole number of 1 or more, got {value!r}.")
        if self.strides > 1 and self.dilation_rate > 1:
            raise ValueError(
                f"MixedDepthwiseConv2D: dilation_rate {self.dilation_rate} needs strides=1, got {self.strides}."
            )
        if self.padding not in ("same", "valid"):
            raise ValueError(f"MixedDepthwiseConv2D: padding must be same or valid, got {self.padding!r}.")
        if self.padding == "valid" and len(set(self.kernel_size)) > 1:
            raise ValueError("MixedDepthwiseConv2D: kernels of different sizes fit together only with padding='same'.")

    @property
    def _channel_axis(self) -> int:
        return -1 if self.data_format == "channels_last" else 1

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        channels = input_shape[self._channel_axis]
        if channels is None:
            raise ValueError(f"MixedDepthwiseConv2D: the number of channels must be known, got shape {input_shape}.")
        self.groups = channel_groups(channels, len(self.kernel_size))
        self.kernels = [
            self.add_weight(
                shape=(size, size, group, 1),
                initializer=nth_draw(self.depthwise_initializer, i),
                regularizer=self.depthwise_regularizer,
                name=f"kernel_{i}",
            )
            for i, (size, group) in enumerate(zip(self.kernel_size, self.groups, strict=True))
        ]
        if self.use_bias:
            self.bias = self.add_weight(shape=(channels,), initializer=self.bias_initializer, name="bias")
        self.input_spec = keras.layers.InputSpec(ndim=4, axes={self._channel_axis: channels})

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        def convolve(part: Any, kernel: Any) -> Any:
            return depthwise_conv2d(
                part, kernel, self.strides, self.padding, self.data_format, self.dilation_rate, training
            )

        mixed = convolve_groups(convolve, inputs, self.kernels, self.groups, self._channel_axis)
        if not self.use_bias:
            return mixed
        return mixed + (self.bias if self._channel_axis == -1 else ops.reshape(self.bias, (1, -1, 1, 1)))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        reach = (max(self.kernel_size) - 1) * self.dilation_rate if self.padding == "valid" else 0
        first = 1 if self.data_format == "channels_last" else 2
        return tuple(
            size if size is None or axis not in (first, first + 1) else -(-(size - reach) // self.strides)
            for axis, size in enumerate(input_shape)
        )

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "kernel_size": list(self.kernel_size),
            "strides": self.strides,
            "padding": self.padding,
            "dilation_rate": self.dilation_rate,
            "use_bias": self.use_bias,
            "data_format": self.data_format,
            "depthwise_initializer": keras.initializers.serialize(self.depthwise_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "depthwise_regularizer": keras.regularizers.serialize(self.depthwise_regularizer),
        }
