"""BatchNormalization: equal to Keras's, with TensorFlow's fused kernel where it is possible."""

from typing import Any

import keras
from keras import ops

# cuDNN's smallest epsilon (CUDNN_BN_MIN_EPSILON), rounded up.
_SMALLEST_FUSED_EPSILON = 1.001e-5


@keras.saving.register_keras_serializable(package="efficientmixnet")
class BatchNormalization(keras.layers.BatchNormalization):
    """Batch normalization (BN).

        out = gamma (x - mean) / sqrt(var + epsilon) + beta

    mean and var are those of the batch in training, and their moving averages in inference. Ioffe and Szegedy, "Batch
    normalization", arXiv 1502.03167.

    The arguments, weights and results are those of keras.layers.BatchNormalization. On TensorFlow, the fused kernel is
    used for images (rank 4) of at most 32 bits with weights of type float32, without a mask and without synchronization
    over replicas. Keras's own operations are used otherwise.

    Shape: (batch, ...) -> the same.

    Example:
        >>> keras.ops.shape(BatchNormalization()(keras.ops.zeros((2, 8, 8, 16))))
        (2, 8, 8, 16)
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        # The fused kernel has no deterministic gradient on a GPU for a frozen layer.
        lacks_gradient = bool(training) and not self.trainable and _is_deterministic()
        if mask is None and self._takes_fused_kernel(inputs) and not lacks_gradient:
            return self._fused(inputs, bool(training) and self.trainable)
        return super().call(inputs, training=training, mask=mask)

    def _takes_fused_kernel(self, inputs: Any) -> bool:
        return (
            keras.backend.backend() == "tensorflow"
            and not self.synchronized
            and len(inputs.shape) == 4
            and self.axis in (1, 3, -1)
            and keras.backend.standardize_dtype(inputs.dtype) in ("float32", "float16", "bfloat16")
            and self.variable_dtype == "float32"  # the kernel's type for weights and statistics
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
            n = tf.cast(tf.size(inputs, tf.int64) // channels[0], "float32")
            variance = tf.where(n > 1, variance * ((n - 1) / n), 0.0)
            self._average(self.moving_mean, mean)
            self._average(self.moving_variance, variance)
        return ops.cast(outputs, self.compute_dtype)

    def _average(self, moving: Any, new: Any) -> None:
        moving.assign(moving * self.momentum + new * (1.0 - self.momentum))


def _is_deterministic() -> bool:
    if keras.backend.backend() != "tensorflow":
        return False
    from tensorflow.python.framework.config import is_op_determinism_enabled  # as Keras does; no public name

    return bool(is_op_determinism_enabled())
