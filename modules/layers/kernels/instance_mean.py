"""The mean of every map of a sample, whose gradient costs one pass over the map.

Added up by TensorFlow, the gradient of a mean is first spread over a map of its own, then divided, then added to the
gradient that the map has from elsewhere: three passes over memory, where one addition does it. So the map is passed
through, and what uses it further takes it from here.
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops


def instance_mean(inputs: Any, axes: Sequence[int], training: bool | None = True) -> tuple[Any, Any]:
    """(batch, height, width, channels) -> the same, and the means over axes, (batch, channels), in float32 or more.

    Without training the gradient is the usual one: a special one would be exported with the model, and loaded again.
    """
    dtype = keras.backend.result_type(inputs.dtype, "float32")
    if keras.backend.backend() != "tensorflow" or not training:
        return inputs, ops.mean(ops.cast(inputs, dtype), axis=axes)

    import tensorflow as tf

    @tf.custom_gradient
    def passed_on(inputs: tf.Tensor) -> Any:
        mean = tf.reduce_mean(tf.cast(inputs, dtype), axes, keepdims=True)

        def gradient(of_inputs: tf.Tensor, of_mean: tf.Tensor) -> tf.Tensor:
            share = of_mean / tf.cast(tf.size(inputs) / tf.size(mean), dtype)
            return of_inputs + tf.cast(share, inputs.dtype)

        return (tf.identity(inputs), mean), gradient

    inputs, mean = passed_on(inputs)
    return inputs, tf.squeeze(mean, axes)
