from itertools import pairwise
from typing import Any

import keras
import numpy as np
import pytest

from efficientmixnet.modules.layers import MixedDepthwiseConv2D


def same_depthwise(x: np.ndarray, kernel: np.ndarray, strides: int, dilation: int = 1) -> np.ndarray:
    """Depthwise convolution from its equation, in float64, with TensorFlow's SAME padding."""
    reach = (kernel.shape[0] - 1) * dilation
    sizes = [-(-n // strides) for n in x.shape[1:3]]
    totals = [max((out - 1) * strides + reach + 1 - n, 0) for out, n in zip(sizes, x.shape[1:3], strict=True)]
    x = np.pad(x.astype("float64"), [(0, 0), *((t // 2, t - t // 2) for t in totals), (0, 0)])
    outputs = np.zeros((x.shape[0], *sizes, x.shape[3]))
    for i, row in enumerate(kernel.astype("float64")):
        for j, weight in enumerate(row):
            top, left = i * dilation, j * dilation
            rows = slice(top, top + (sizes[0] - 1) * strides + 1, strides)
            columns = slice(left, left + (sizes[1] - 1) * strides + 1, strides)
            outputs += x[:, rows, columns] * weight[:, 0]
    return outputs


def mixed_depthwise(x: np.ndarray, kernels: list[np.ndarray], strides: int, dilation: int = 1) -> np.ndarray:
    edges = np.cumsum([0, *(kernel.shape[2] for kernel in kernels)])
    parts = [x[..., start:end] for start, end in pairwise(edges)]
    return np.concatenate(
        [same_depthwise(part, kernel, strides, dilation) for part, kernel in zip(parts, kernels, strict=True)], axis=-1
    )


@pytest.mark.parametrize(
    ("kernel_size", "strides", "dilation", "size"),
    [
        (3, 1, 1, (8, 9)),
        (3, 2, 1, (1, 2)),
        ([3, 5], 1, 1, (8, 9)),
        ([3, 5], 2, 1, (8, 9)),
        ([3, 5], 1, 2, (8, 9)),
        ([3, 5, 7], 2, 1, (1, 2)),
        ([1, 2, 4], 1, 1, (4, 5)),
        ([1, 2, 4], 2, 1, (4, 5)),
        ([3, 5, 7, 9, 11], 2, 1, (8, 9)),
        ([3, 5, 7, 9, 11], 1, 2, (1, 2)),
    ],
)
def test_equals_the_equation(
    kernel_size: Any, strides: int, dilation: int, size: tuple[int, int], rng: np.random.Generator
) -> None:
    x = rng.standard_normal((2, *size, 7), "float32")
    layer = MixedDepthwiseConv2D(kernel_size, strides, dilation_rate=dilation, use_bias=True, bias_initializer="ones")
    outputs = np.asarray(layer(x))
    expected = mixed_depthwise(x, [np.asarray(kernel) for kernel in layer.kernels], strides, dilation) + 1
    assert outputs.shape == layer.compute_output_shape(x.shape)
    np.testing.assert_allclose(outputs, expected, rtol=1e-5, atol=1e-5)


def test_a_number_by_hand() -> None:
    layer = MixedDepthwiseConv2D([1, 3])
    layer.build((None, 3, 3, 2))
    layer.kernels[0].assign(np.full((1, 1, 1, 1), 2.0))
    layer.kernels[1].assign(np.ones((3, 3, 1, 1)))
    outputs = np.asarray(layer(np.ones((1, 3, 3, 2), "float32")))[0]
    np.testing.assert_array_equal(outputs[..., 0], np.full((3, 3), 2))
    np.testing.assert_array_equal(outputs[..., 1], [[4, 6, 4], [6, 9, 6], [4, 6, 4]])


def test_one_size_is_the_ordinary_depthwise_convolution(rng: np.random.Generator) -> None:
    x = rng.standard_normal((1, 9, 9, 4), "float32")
    ours = MixedDepthwiseConv2D(5, padding="valid", strides=2)
    keras_own = keras.layers.DepthwiseConv2D(5, 2, padding="valid", use_bias=False)
    outputs = ours(x)
    keras_own.build(x.shape)
    keras_own.set_weights(ours.get_weights())
    assert ours.compute_output_shape(x.shape) == (1, 3, 3, 4)
    np.testing.assert_allclose(outputs, keras_own(x), atol=1e-6)


@pytest.mark.parametrize(("strides", "dilation"), [(1, 1), (2, 1), (1, 2)])
def test_channels_first_equals_channels_last(strides: int, dilation: int, rng: np.random.Generator) -> None:
    x = rng.standard_normal((2, 6, 7, 5), "float32")
    options: Any = {"kernel_size": [3, 5], "strides": strides, "dilation_rate": dilation, "use_bias": True}
    last = MixedDepthwiseConv2D(**options, bias_initializer="random_normal", data_format="channels_last")
    first = MixedDepthwiseConv2D(**options, data_format="channels_first")
    outputs = np.asarray(last(x))
    first.build((2, 5, 6, 7))
    first.set_weights(last.get_weights())
    moved = np.asarray(first(x.transpose(0, 3, 1, 2)))
    assert moved.shape == first.compute_output_shape((2, 5, 6, 7))
    np.testing.assert_allclose(moved.transpose(0, 2, 3, 1), outputs, atol=1e-6)


def test_kernels_are_named_and_shaped_by_group() -> None:
    layer = MixedDepthwiseConv2D([3, 5, 7])
    layer.build((None, None, None, 32))
    shapes = {variable.name: variable.shape for variable in layer.weights}
    assert shapes == {"kernel_0": (3, 3, 12, 1), "kernel_1": (5, 5, 10, 1), "kernel_2": (7, 7, 10, 1)}
    assert all(kernel is weight for kernel, weight in zip(layer.kernels, layer.weights, strict=True))


def test_kernels_with_one_seed_start_with_different_weights() -> None:
    layer = MixedDepthwiseConv2D([3, 3], depthwise_initializer=keras.initializers.RandomNormal(seed=1))
    layer.build((None, 4, 4, 8))
    first, second = layer.get_weights()
    assert np.abs(first - second).min() > 0


def test_gradient_in_every_weight(gradients: Any, rng: np.random.Generator) -> None:
    layer = MixedDepthwiseConv2D([3, 5], use_bias=True)
    x, upstream = rng.standard_normal((2, 1, 6, 6, 5), "float32")
    layer.build(x.shape)
    _, weights = gradients(layer, x, upstream)
    # The loss is linear in every weight: its value is the sum of weight times gradient.
    for kernels in ("kernel_0", "kernel_1", "bias"):
        assert np.abs(weights[kernels]).min() > 0
    loss = sum((np.asarray(variable) * weights[variable.name]).sum() for variable in layer.weights)
    expected = (mixed_depthwise(x, layer.get_weights()[:2], 1) * upstream).sum()
    np.testing.assert_allclose(loss, expected, rtol=1e-4)


@pytest.mark.parametrize(
    "options",
    [
        {"kernel_size": 3},
        {"kernel_size": [3, 5, 7], "strides": 2},
        {"kernel_size": (3, 5), "dilation_rate": 2, "use_bias": True},
        {"kernel_size": 2, "padding": "valid", "depthwise_regularizer": keras.regularizers.L2(0.1)},
    ],
)
def test_saved_and_loaded_it_gives_identical_outputs(options: Any, reload: Any, rng: np.random.Generator) -> None:
    x = rng.standard_normal((1, 7, 6, 5), "float32")
    model, loaded = reload(MixedDepthwiseConv2D(**options), (None, None, 5))
    np.testing.assert_array_equal(model(x), loaded(x))
    assert loaded.layers[1].get_config() == model.layers[1].get_config()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kernel_size": []}, "sizes of at least 1"),
        ({"kernel_size": [3, 0]}, "sizes of at least 1"),
        ({"kernel_size": 3, "strides": 2, "dilation_rate": 2}, "needs strides=1"),
        ({"kernel_size": 3, "padding": "full"}, "same or valid"),
        ({"kernel_size": 3, "strides": 0}, "strides must be a whole number of 1 or more, got 0"),
        ({"kernel_size": 3, "strides": (2, 2)}, r"strides must be a whole number of 1 or more, got \(2, 2\)"),
        ({"kernel_size": 3, "dilation_rate": 0}, "dilation_rate must be a whole number of 1 or more, got 0"),
        ({"kernel_size": 3, "data_format": "NHWC"}, "data_format must be one of channels_last, channels_first"),
        ({"kernel_size": [3, 5], "padding": "valid"}, "only with padding='same'"),
    ],
)
def test_invalid_options_are_refused(options: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MixedDepthwiseConv2D(**options)


def test_unknown_channels_are_refused() -> None:
    with pytest.raises(ValueError, match="number of channels must be known"):
        MixedDepthwiseConv2D(3).build((None, 8, 8, None))
