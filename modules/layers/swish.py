"""Swish: the activation x sigmoid(x), also known as SiLU."""

from typing import Any

import keras
from keras import ops

from efficientmixnet.modules.layers.kernels.devices import on_tensorflow_cpu


@keras.saving.register_keras_serializable(package="efficientmixnet")
class Swish(keras.layers.Layer):
    """The activation x sigmoid(x), also known as SiLU.

    Ramachandran et al., "Searching for activation functions", arXiv 1710.05941.

    Shape: any -> the same.

    Example:
        >>> keras.ops.shape(Swish()(keras.ops.zeros((2, 3))))
        (2, 3)
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        if keras.backend.backend() == "tensorflow" and not training:
            return inputs * ops.sigmoid(inputs)  # TensorFlow's swish has a custom gradient, which would be exported too
        return _with_kept_sigmoid(inputs) if training and on_tensorflow_cpu() else ops.silu(inputs)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape


def _with_kept_sigmoid(inputs: Any) -> Any:
    """Keeps the sigmoid for the gradient. TensorFlow computes it again, which saves memory but takes time."""
    import tensorflow as tf

    @tf.custom_gradient
    def swish(x: tf.Tensor) -> Any:
        sigmoid = tf.sigmoid(x)

        def gradient(upstream: tf.Tensor) -> tf.Tensor:
            # d/dx = x sigmoid (1 - sigmoid) + sigmoid, whose first term is one kernel
            return (tf.raw_ops.SigmoidGrad(y=sigmoid, dy=x) + sigmoid) * upstream

        return x * sigmoid, gradient

    return swish(inputs)
