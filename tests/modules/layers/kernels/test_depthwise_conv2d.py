from typing import Any

import keras
import numpy as np
import pytest

from efficientmixnet.modules.layers.kernels.depthwise_conv2d import depthwise_conv2d
from efficientmixnet.modules.layers.kernels.shifted_depthwise_conv2d import same_margins

ON_TENSORFLOW = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="a kernel of TensorFlow's")


class Convolution(keras.layers.Layer):
    """The function under test, or Keras's own, as a layer with a kernel."""

    def __init__(self, kernel: np.ndarray, strides: int, by_keras: bool = False) -> None:
        super().__init__()
        self.kernel = self.add_weight(shape=kernel.shape, name="kernel")
        self.kernel.assign(kernel)
        self.strides = strides
        self.by_keras = by_keras
        self.convolve = keras.ops.depthwise_conv if by_keras else depthwise_conv2d

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        options = {} if self.by_keras else {"training": training}
        return self.convolve(inputs, self.kernel, self.strides, "same", "channels_last", 1, **options)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (input_shape[0], *(-(-n // self.strides) for n in input_shape[1:3]), input_shape[3])


@pytest.mark.parametrize("strides", [1, 2])
@pytest.mark.parametrize(
    ("size", "height", "width", "channels"),
    [(3, 5, 6, 3), (5, 6, 7, 16), (5, 7, 6, 17), (5, 1, 2, 16), (6, 7, 8, 32), (9, 5, 4, 40), (9, 5, 4, 5)],
)
def test_values_and_gradients_equal_keras(
    size: int, height: int, width: int, channels: int, strides: int, gradients: Any, rng: np.random.Generator
) -> None:
    x = rng.standard_normal((2, height, width, channels), "float32")
    kernel = rng.standard_normal((size, size, channels, 1), "float32")
    ours, theirs = Convolution(kernel, strides), Convolution(kernel, strides, by_keras=True)
    outputs = np.asarray(theirs(x))
    np.testing.assert_allclose(ours(x), outputs, atol=1e-5)
    upstream = rng.standard_normal(outputs.shape, "float32")
    (of_inputs, of_kernel), (expected_inputs, expected_kernel) = (
        gradients(layer, x, upstream) for layer in (ours, theirs)
    )
    np.testing.assert_allclose(of_inputs, expected_inputs, atol=1e-4)
    np.testing.assert_allclose(of_kernel["kernel"], expected_kernel["kernel"], atol=1e-4)


@pytest.mark.parametrize(
    ("length", "size", "strides", "margins"),
    [
        (224, 3, 2, (0, 1)),  # TensorFlow's "same" puts the odd one behind
        (7, 5, 1, (2, 2)),
        (7, 5, 2, (2, 2)),
        (8, 5, 2, (1, 2)),
        (2, 1, 2, (0, 0)),
    ],
)
def test_margins_of_same_padding(length: int, size: int, strides: int, margins: tuple[int, int]) -> None:
    assert same_margins(length, size, strides) == margins


@ON_TENSORFLOW
def test_large_kernels_take_the_explicitly_padded_gradient_also_under_xla(rng: np.random.Generator) -> None:
    import tensorflow as tf

    x = tf.constant(rng.standard_normal((2, 6, 6, 16), "float32"))
    layer = Convolution(rng.standard_normal((5, 5, 16, 1), "float32"), 1)

    def gradient(x: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(layer(x, training=True) ** 2)
        return tape.gradient(loss, layer.kernel.value)

    graph = tf.function(gradient).get_concrete_function(x).graph
    (operation,) = [op for op in graph.get_operations() if op.type == "DepthwiseConv2dNativeBackpropFilter"]
    assert operation.get_attr("padding") == b"EXPLICIT"
    np.testing.assert_allclose(tf.function(gradient, jit_compile=True)(x), gradient(x), rtol=1e-3, atol=1e-3)
