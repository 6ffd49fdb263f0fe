"""Batch normalization that equals Keras's and takes TensorFlow's fused kernel where it can.

    out = gamma (x - mean) / sqrt(var + epsilon) + beta

with mean and variance of the batch in training, their moving averages otherwise. Ioffe and Szegedy, "Batch
normalization", arXiv 1502.03167.
"""

from typing import Any

import keras
from keras import ops

# cuDNN's smallest epsilon (CUDNN_BN_MIN_EPSILON), rounded up.
_SMALLEST_FUSED_EPSILON = 1.001e-5


@keras.saving.register_keras_serializable(package="efficientmixnet")
class BatchNormalization(keras.layers.BatchNormalization):
    """(batch, ...) -> (batch, ...).

    The arguments, weights and numbers of keras.layers.BatchNormalization. On TensorFlow the fused kernel, which
    takes images (rank 4) of up to 32 bits and knows no mask and no other replica; else Keras's own operations.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if mask is None and self._takes_fused_kernel(inputs):
            return self._fused(inputs, bool(training) and self.trainable)
        return super().call(inputs, training=training, mask=mask)

    def _takes_fused_kernel(self, inputs: Any) -> bool:
        return (
            keras.backend.backend() == "tensorflow"
            and not self.synchronized
            and len(inputs.shape) == 4
            and self.axis in (1, 3, -1)
            and keras.backend.standardize_dtype(inputs.dtype) in ("float32", "float16", "bfloat16")
            and self.epsilon >= _SMALLEST_FUSED_EPSILON
        )

    def _fused(self, inputs: Any, training: bool) -> Any:
        import tensorflow as tf

        channels = (inputs.shape[self.axis],)
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=tf.convert_to_tensor(self.gamma) if self.scale else tf.ones(channels),
            offset=tf.convert_to_tensor(self.beta) if self.center else tf.zeros(channels),
            mean=tf.zeros(0) if training else tf.convert_to_tensor(self.moving_mean),
            variance=tf.zeros(0) if training else tf.convert_to_tensor(self.moving_variance),
            epsilon=self.epsilon,
            data_format="NCHW" if self.axis == 1 else "NHWC",
            is_training=training,
        )
        if training:
            # The kernel returns the variance times n / (n - 1); Keras averages the plain one.
            n = tf.cast(tf.size(inputs) // channels[0], "float32")
            variance = tf.where(n > 1, variance * ((n - 1) / n), 0.0)
            self._average(self.moving_mean, mean)
            self._average(self.moving_variance, variance)
        return ops.cast(outputs, self.compute_dtype)

    def _average(self, moving: Any, new: Any) -> None:
        moving.assign(moving * self.momentum + new * (1.0 - self.momentum))
