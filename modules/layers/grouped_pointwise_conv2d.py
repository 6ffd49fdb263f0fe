"""GroupedPointwiseConv2D: MixNet's grouped 1x1 convolution."""

from typing import Any

import keras
from keras import ops

from efficientmixnet.modules.layers.channel_groups import channel_groups, convolve_groups
from efficientmixnet.modules.layers.data_format import checked_data_format
from efficientmixnet.modules.layers.initializers import convolution_initializer, nth_draw
from efficientmixnet.modules.layers.kernels.devices import on_tensorflow_cpu


@keras.saving.register_keras_serializable(package="efficientmixnet")
class GroupedPointwiseConv2D(keras.layers.Layer):
    """A 1x1 convolution in which each group of input channels makes its own group of output channels.

    Groups have C // g channels each, and the first group has the remainder, so any number of channels works. Tan and
    Le, "MixConv: mixed depthwise convolutional kernels", arXiv 1907.09595.

    The kernels, `kernels` in order and named kernel_0, kernel_1, ..., have the shape (1, 1, inputs, outputs) of their
    group. With one group the layer has the weights of keras.layers.Conv2D, and trains faster on TensorFlow on a CPU.

    Shape: (batch, height, width, channels) -> (batch, height, width, filters), or channels first.

    Args:
        filters: The number of output channels.
        groups: The number of groups.
        data_format: "channels_last" or "channels_first". None: Keras's image_data_format().
        kernel_initializer: The initializer of all kernels.

    Raises:
        ValueError: There are fewer channels or filters than groups, or there is no such data format.

    Example:
        >>> keras.ops.shape(GroupedPointwiseConv2D(24, groups=2)(keras.ops.zeros((2, 8, 8, 16))))
        (2, 8, 8, 24)
    """

    def __init__(
        self,
        filters: int,
        groups: int = 1,
        use_bias: bool = False,
        data_format: str | None = None,
        kernel_initializer: Any = None,
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if filters < 1 or not 1 <= groups <= filters:
            raise ValueError(
                f"GroupedPointwiseConv2D: needs 1 <= groups <= filters, got groups={groups}, filters={filters}."
            )
        self.filters = filters
        self.groups = groups
        self.use_bias = use_bias
        self.data_format = checked_data_format(data_format, "GroupedPointwiseConv2D")
        self.kernel_initializer = keras.initializers.get(kernel_initializer) or convolution_initializer()
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)

    @property
    def _channel_axis(self) -> int:
        return -1 if self.data_format == "channels_last" else 1

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        channels = input_shape[self._channel_axis]
        if channels is None:
            raise ValueError(f"GroupedPointwiseConv2D: the number of channels must be known, got shape {input_shape}.")
        self.input_groups = channel_groups(channels, self.groups)
        self.kernels = [
            self.add_weight(
                shape=(1, 1, inputs, outputs),
                initializer=nth_draw(self.kernel_initializer, i),
                regularizer=self.kernel_regularizer,
                name=f"kernel_{i}" if self.groups > 1 else "kernel",
            )
            for i, (inputs, outputs) in enumerate(
                zip(self.input_groups, channel_groups(self.filters, self.groups), strict=True)
            )
        ]
        if self.use_bias:
            self.bias = self.add_weight(shape=(self.filters,), initializer=self.bias_initializer, name="bias")
        self.input_spec = keras.layers.InputSpec(ndim=4, axes={self._channel_axis: channels})

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        # On a CPU the gradient of TensorFlow's convolution is slow; in inference it merges with the norm behind it.
        as_product = training and self.data_format == "channels_last" and on_tensorflow_cpu()
        convolve = self._multiply if as_product else self._convolve
        joined = convolve_groups(convolve, inputs, self.kernels, self.input_groups, self._channel_axis)
        if not self.use_bias:
            return joined
        return joined + (self.bias if self._channel_axis == -1 else ops.reshape(self.bias, (1, -1, 1, 1)))

    def _convolve(self, inputs: Any, kernel: Any) -> Any:
        return ops.conv(inputs, kernel, 1, "valid", self.data_format)

    def _multiply(self, inputs: Any, kernel: Any) -> Any:
        rows = ops.reshape(inputs, (-1, inputs.shape[-1]))  # (batch * height * width, inputs)
        products = ops.matmul(rows, ops.reshape(kernel, kernel.shape[2:]))
        return ops.reshape(products, (*ops.shape(inputs)[:3], kernel.shape[-1]))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        shape = list(input_shape)
        shape[self._channel_axis] = self.filters
        return tuple(shape)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters,
            "groups": self.groups,
            "use_bias": self.use_bias,
            "data_format": self.data_format,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
        }
