"""SqueezeExcite: scales each channel by a gate computed from the means of all channels."""

from typing import Any

import keras
from keras import ops

from efficientmixnet.modules.layers.data_format import checked_data_format
from efficientmixnet.modules.layers.initializers import convolution_initializer, nth_draw
from efficientmixnet.modules.layers.kernels.instance_mean import instance_mean

KINDS = ("conv", "dense")


@keras.saving.register_keras_serializable(package="efficientmixnet")
class SqueezeExcite(keras.layers.Layer):
    """Squeeze and excitation (SE).

        out = x * gate(W2 activation(W1 mean_HW(x) + b1) + b2)

    Hu, Shen and Sun, "Squeeze-and-excitation networks", arXiv 1709.01507.

    Shape: (batch, height, width, channels) -> the same, or channels first.

    Args:
        ratio: The inner width is max(1, int(ratio * input_filters)).
        input_filters: The width that `ratio` refers to. In EfficientNet this is the block's input. None: the channels.
        activation: The activation between the two maps.
        gate_activation: The activation of the gate.
        kind: "conv" stores the kernels as 1x1 convolutions, (1, 1, in, out); "dense" as matrices, (in, out).
        data_format: "channels_last" or "channels_first". None: Keras's image_data_format().

    Raises:
        ValueError: ratio is not positive, or there is no such kind or data format.

    Example:
        >>> keras.ops.shape(SqueezeExcite(0.25)(keras.ops.zeros((2, 8, 8, 16))))
        (2, 8, 8, 16)
    """

    def __init__(
        self,
        ratio: float = 0.25,
        input_filters: int | None = None,
        activation: Any = "swish",
        gate_activation: Any = "sigmoid",
        kind: str = "conv",
        data_format: str | None = None,
        kernel_initializer: Any = None,
        bias_initializer: Any = "zeros",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if ratio <= 0:
            raise ValueError(f"SqueezeExcite: ratio must be more than 0, got {ratio}.")
        if kind not in KINDS:
            raise ValueError(f"SqueezeExcite: kind must be one of {', '.join(KINDS)}, got {kind!r}.")
        self.ratio = ratio
        self.input_filters = input_filters
        self.activation = keras.activations.get(activation)
        self.gate_activation = keras.activations.get(gate_activation)
        self.kind = kind
        self.data_format = checked_data_format(data_format, "SqueezeExcite")
        self.kernel_initializer = keras.initializers.get(kernel_initializer) or convolution_initializer()
        self.bias_initializer = keras.initializers.get(bias_initializer)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        axis = -1 if self.data_format == "channels_last" else 1
        channels = input_shape[axis]
        if channels is None:
            raise ValueError(f"SqueezeExcite: the number of channels must be known, got shape {input_shape}.")
        inner = max(1, int((self.input_filters or channels) * self.ratio))
        window = (1, 1) if self.kind == "conv" else ()
        first, second = (nth_draw(self.kernel_initializer, i) for i in range(2))
        self.reduce_kernel = self.add_weight(shape=(*window, channels, inner), initializer=first, name="reduce_kernel")
        self.reduce_bias = self.add_weight(shape=(inner,), initializer=self.bias_initializer, name="reduce_bias")
        self.expand_kernel = self.add_weight(shape=(*window, inner, channels), initializer=second, name="expand_kernel")
        self.expand_bias = self.add_weight(shape=(channels,), initializer=self.bias_initializer, name="expand_bias")
        self.input_spec = keras.layers.InputSpec(ndim=4, axes={axis: channels})

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        spatial, gate_shape = ((1, 2), (-1, 1, 1)) if self.data_format == "channels_last" else ((2, 3), (-1,))
        inputs, mean = instance_mean(inputs, spatial, training)
        mean = ops.cast(mean, inputs.dtype)  # (batch, channels)
        inner = self.activation(ops.matmul(mean, _matrix(self.reduce_kernel)) + self.reduce_bias)  # (batch, inner)
        gate = self.gate_activation(ops.matmul(inner, _matrix(self.expand_kernel)) + self.expand_bias)
        channels = gate.shape[-1]
        shape = (*gate_shape, channels) if self.data_format == "channels_last" else (-1, channels, 1, 1)
        return inputs * ops.reshape(gate, shape)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "ratio": self.ratio,
            "input_filters": self.input_filters,
            "activation": keras.activations.serialize(self.activation),
            "gate_activation": keras.activations.serialize(self.gate_activation),
            "kind": self.kind,
            "data_format": self.data_format,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
        }


def _matrix(kernel: Any) -> Any:
    """Returns the matrix of a 1x1 kernel. On a 1x1 map, the convolution is a matrix product."""
    return ops.reshape(kernel, kernel.shape[-2:])
