"""Mish: x tanh(softplus(x)).

Misra, "Mish: a self regularized non-monotonic activation function", arXiv 1908.08681.
"""

from typing import Any

import keras

from efficientmixnet.modules.layers.kernels.devices import on_tensorflow_cpu


@keras.saving.register_keras_serializable(package="efficientmixnet")
class Mish(keras.layers.Layer):
    """Any shape -> the same shape."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        return _on_tensorflow_cpu(inputs) if on_tensorflow_cpu() else keras.activations.mish(inputs)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape


def _on_tensorflow_cpu(inputs: Any) -> Any:
    """Left to itself TensorFlow spends ten times the forward pass on the gradient.

    And where a normalization comes before x tanh(softplus(x)), its graph optimizer puts both into one kernel that does
    not exist ("Fusion is not implemented: [FusedBatchNorm,Mish]"), so tanh(softplus(x)) is written with exponentials:
    ((1 + e^x)^2 - 1) / ((1 + e^x)^2 + 1).
    """
    import tensorflow as tf

    @tf.custom_gradient
    def mish(x: tf.Tensor) -> Any:
        exponential = tf.exp(tf.minimum(tf.cast(x, tf.float32), 20.0))  # beyond, the quotient is 1 in float32
        squared = exponential * (exponential + 2.0)
        tanh = tf.cast(squared / (squared + 2.0), x.dtype)

        def gradient(upstream: tf.Tensor) -> tf.Tensor:
            # d/dx = x sigmoid(x) (1 - tanh^2) + tanh, whose first term is one kernel
            return (tf.raw_ops.TanhGrad(y=tanh, dy=x * tf.sigmoid(x)) + tanh) * upstream

        return x * tanh, gradient

    return mish(inputs)
