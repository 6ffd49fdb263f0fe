"""Swish: x sigmoid(x), also known as SiLU.

Ramachandran et al., "Searching for activation functions", arXiv 1710.05941.
"""

from typing import Any

import keras
from keras import ops

from efficientmixnet.modules.layers.kernels.devices import on_tensorflow_cpu


@keras.saving.register_keras_serializable(package="efficientmixnet")
class Swish(keras.layers.Layer):
    """Any shape -> the same shape."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        if keras.backend.backend() == "tensorflow" and not training:
            return inputs * ops.sigmoid(inputs)  # its own carries a gradient that would be exported, and loaded, too
        return _with_kept_sigmoid(inputs) if training and on_tensorflow_cpu() else ops.silu(inputs)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape


def _with_kept_sigmoid(inputs: Any) -> Any:
    """TensorFlow's own computes the sigmoid anew for the gradient, to save memory that a CPU has, and its time."""
    import tensorflow as tf

    @tf.custom_gradient
    def swish(x: tf.Tensor) -> Any:
        sigmoid = tf.sigmoid(x)

        def gradient(upstream: tf.Tensor) -> tf.Tensor:
            # d/dx = x sigmoid (1 - sigmoid) + sigmoid, whose first term is one kernel
            return (tf.raw_ops.SigmoidGrad(y=sigmoid, dy=x) + sigmoid) * upstream

        return x * sigmoid, gradient

    return swish(inputs)
