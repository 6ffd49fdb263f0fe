"""instance_mean: the mean of each map of a sample, with a gradient that takes one pass over the map.

TensorFlow spreads the gradient of a mean over a map, divides it, and adds it to the map's other gradient: three passes
over memory instead of one. So the map is passed through, and the layers that use it next take it from here.
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops


def instance_mean(inputs: Any, axes: Sequence[int], training: bool | None = True) -> tuple[Any, Any]:
    """Returns the maps, (batch, height, width, channels), and their means, (batch, channels), in at least float32.

    Without training the gradient is TensorFlow's, because a custom gradient would be exported with the model.
    """
    dtype = keras.backend.result_type(inputs.dtype, "float32")
    if keras.backend.backend() != "tensorflow" or not training:
        return inputs, ops.mean(ops.cast(inputs, dtype), axis=axes)

    import tensorflow as tf

    @tf.custom_gradient
    def passed_on(inputs: tf.Tensor) -> Any:
        mean = tf.reduce_mean(tf.cast(inputs, dtype), axes, keepdims=True)

        def gradient(of_inputs: tf.Tensor, of_mean: tf.Tensor) -> tf.Tensor:
            size = tf.size(inputs, tf.int64) / tf.size(mean, tf.int64)  # of a map
            share = of_mean / tf.cast(size, dtype)
            return of_inputs + tf.cast(share, inputs.dtype)

        return (tf.identity(inputs), mean), gradient

    inputs, mean = passed_on(inputs)
    return inputs, tf.squeeze(mean, axes)
