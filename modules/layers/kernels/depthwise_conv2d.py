"""depthwise_conv2d: keras.ops.depthwise_conv, faster on CPUs.

On JAX, all of it is replaced. On TensorFlow, the gradient at a kernel of 5x5 or larger costs three to five times the
convolution, because oneDNN computes it. With explicit padding, TensorFlow's own kernel computes the same sum in half
the time, if there are enough channels to fill its vectors. For 3x3 kernels, and in the convolution and the gradient at
the inputs, oneDNN is faster.
"""

from typing import Any

import keras
from keras import ops

from efficientmixnet.modules.layers.kernels.devices import on_jax_cpu, on_tensorflow_cpu
from efficientmixnet.modules.layers.kernels.shifted_depthwise_conv2d import same_margins, shifted_depthwise_conv2d


def depthwise_conv2d(
    inputs: Any,
    kernel: Any,
    strides: int,
    padding: str,
    data_format: str,
    dilation_rate: int = 1,
    training: bool | None = None,
) -> Any:
    """Convolves (batch, height, width, channels), or channels first, with (size, size, channels, 1)."""
    if keras.backend.backend() == "tensorflow" and data_format == "channels_first" and dilation_rate > 1:
        # With channels first, TensorFlow dilates along the wrong axes if height and width are unknown.
        moved = ops.transpose(inputs, (0, 2, 3, 1))  # (batch, height, width, channels)
        outputs = ops.depthwise_conv(moved, kernel, strides, padding, "channels_last", dilation_rate=dilation_rate)
        return ops.transpose(outputs, (0, 3, 1, 2))
    is_plain = (
        data_format == "channels_last"
        and all(isinstance(length, int) for length in inputs.shape[1:3])
        and keras.backend.standardize_dtype(inputs.dtype) == "float32"
    )
    if is_plain and on_jax_cpu():
        return shifted_depthwise_conv2d(inputs, kernel, strides, padding, dilation_rate)
    if (
        is_plain
        and training
        and (padding, dilation_rate) == ("same", 1)
        and _own_gradient_pays(*kernel.shape[1:3])
        and on_tensorflow_cpu()
    ):
        return _with_own_kernel_gradient(inputs, kernel, strides)
    return ops.depthwise_conv(inputs, kernel, strides, padding, data_format, dilation_rate=dilation_rate)


def _own_gradient_pays(size: int, channels: int) -> bool:
    """Whether our gradient is faster, as measured by `benchmarks/layers.py mixed`."""
    return (size == 5 and channels >= 16) or (size > 5 and channels >= 32 and channels % 8 == 0)


def _with_own_kernel_gradient(inputs: Any, kernel: Any, strides: int) -> Any:
    import tensorflow as tf

    steps = [1, strides, strides, 1]
    size = kernel.shape[0]
    margins = [edge for length in inputs.shape[1:3] for edge in same_margins(length, size, strides)]

    @tf.custom_gradient
    def convolve(inputs: tf.Tensor, kernel: tf.Tensor) -> Any:
        def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            of_inputs = tf.raw_ops.DepthwiseConv2dNativeBackpropInput(
                input_sizes=tf.shape(inputs), filter=kernel, out_backprop=upstream, strides=steps, padding="SAME"
            )
            of_kernel = tf.raw_ops.DepthwiseConv2dNativeBackpropFilter(
                input=inputs,
                filter_sizes=kernel.shape,
                out_backprop=upstream,
                strides=steps,
                padding="EXPLICIT",
                explicit_paddings=[0, 0, *margins, 0, 0],
            )
            return of_inputs, of_kernel

        return tf.nn.depthwise_conv2d(inputs, kernel, steps, "SAME"), gradient

    return convolve(inputs, tf.convert_to_tensor(kernel))
