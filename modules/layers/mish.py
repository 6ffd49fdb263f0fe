"""Mish: the activation x tanh(softplus(x))."""

from typing import Any

import keras

from efficientmixnet.modules.layers.kernels.devices import on_tensorflow_cpu


@keras.saving.register_keras_serializable(package="efficientmixnet")
class Mish(keras.layers.Layer):
    """The activation x tanh(softplus(x)).

    Misra, "Mish: a self regularized non-monotonic activation function", arXiv 1908.08681.

    Shape: any -> the same.

    Example:
        >>> keras.ops.shape(Mish()(keras.ops.zeros((2, 3))))
        (2, 3)
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        return _on_tensorflow_cpu(inputs) if on_tensorflow_cpu() else keras.activations.mish(inputs)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape


def _on_tensorflow_cpu(inputs: Any) -> Any:
    """Computes Mish with its own gradient. TensorFlow's takes ten times as long as the forward pass.

    tanh(softplus(x)) is written as u / (2 - u), with u = s (2 - s) and s = sigmoid(x). Every term is within [0, 2], so
    that 8-bit integers can hold it after quantization. TensorFlow Lite 2.21 refuses divisors of 8 bits that it stores
    as 0, so the quotient is a product with the square of a reciprocal root. And after a normalization, TensorFlow's
    graph optimizer would fuse x tanh(softplus(x)) into a kernel that does not exist ("Fusion is not implemented:
    [FusedBatchNorm,Mish]").
    """
    import tensorflow as tf

    @tf.custom_gradient
    def mish(x: tf.Tensor) -> Any:
        s = tf.sigmoid(tf.cast(x, tf.float32))
        u = s * (2.0 - s)
        tanh = tf.cast(u * tf.square(tf.math.rsqrt(2.0 - u)), x.dtype)

        def gradient(upstream: tf.Tensor) -> tf.Tensor:
            # d/dx = x sigmoid(x) (1 - tanh^2) + tanh, whose first term is one kernel
            return (tf.raw_ops.TanhGrad(y=tanh, dy=x * tf.sigmoid(x)) + tanh) * upstream

        return x * tanh, gradient

    return mish(inputs)
