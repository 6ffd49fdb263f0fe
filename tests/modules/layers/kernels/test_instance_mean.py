from typing import Any

import keras
import numpy as np
import pytest

from efficientmixnet.modules.layers.kernels.instance_mean import instance_mean


class TimesItsMean(keras.layers.Layer):
    def call(self, inputs: Any) -> Any:
        inputs, mean = instance_mean(inputs, [1, 2])
        return inputs * keras.ops.reshape(mean, (-1, 1, 1, inputs.shape[-1]))

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape


def test_means_are_those_of_each_sample_and_channel(rng: np.random.Generator) -> None:
    x = rng.standard_normal((2, 3, 4, 5), "float32")
    passed, mean = instance_mean(keras.ops.convert_to_tensor(x), [1, 2])
    np.testing.assert_array_equal(passed, x)
    np.testing.assert_allclose(mean, np.float64(x).mean(axis=(1, 2)), atol=1e-6)


def test_a_map_of_one_pixel_and_one_channel_keeps_its_shape() -> None:
    _, mean = instance_mean(keras.ops.ones((1, 1, 1, 1)), [1, 2])
    assert mean.shape == (1, 1)


def test_the_gradient_reaches_the_inputs_both_ways(gradients: Any) -> None:
    # x = (1, 3), out = x mean(x) = (x1^2 + x1 x2, x1 x2 + x2^2) / 2: with upstream (1, 0) the gradient is
    # (x1 + x2 / 2, x1 / 2) = (2.5, .5)
    x = np.array([1.0, 3.0], "float32").reshape(1, 2, 1, 1)
    upstream = np.array([1.0, 0.0], "float32").reshape(x.shape)
    inputs, _ = gradients(TimesItsMean(), x, upstream, training=None)
    np.testing.assert_allclose(np.ravel(inputs), [2.5, 0.5])


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_means_of_half_precision_are_float32(dtype: str) -> None:
    # In float16 the sum of 4096 times 60 overflows, and in bfloat16 it stops growing.
    _, mean = instance_mean(keras.ops.full((1, 64, 64, 1), 60.0, dtype), [1, 2])
    assert keras.backend.standardize_dtype(mean.dtype) == "float32"
    np.testing.assert_allclose(mean, [[60]])


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="it is about TensorFlow's graphs")
def test_the_values_of_a_batch_are_counted_in_64_bits() -> None:
    """A batch of 2^31 values, as of 1,800 maps of 112 x 112 x 96, has a negative number of them in 32 bits."""
    import tensorflow as tf

    def gradient(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            outputs, mean = instance_mean(x, [1, 2])
            total = tf.reduce_sum(outputs) * tf.reduce_sum(mean)
        return tape.gradient(total, x)

    graph = tf.function(gradient).get_concrete_function(tf.TensorSpec((None, 4, 4, 4))).graph
    assert {op.get_attr("out_type") for op in graph.get_operations() if op.type == "Size"} == {tf.int64}
