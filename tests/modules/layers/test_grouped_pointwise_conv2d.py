from typing import Any

import keras
import numpy as np
import pytest

from efficientmixnet.modules.layers import GroupedPointwiseConv2D


@pytest.mark.parametrize("training", [True, False])
def test_each_group_of_inputs_makes_one_group_of_outputs(training: bool, rng: np.random.Generator) -> None:
    x = rng.standard_normal((2, 3, 4, 7), "float32")
    layer = GroupedPointwiseConv2D(8, groups=3, use_bias=True, bias_initializer="ones")
    outputs = np.asarray(layer(x, training=training))
    a, b, c = (np.asarray(kernel, "float64")[0, 0] for kernel in layer.kernels)
    assert (a.shape, b.shape, c.shape) == ((3, 4), (2, 2), (2, 2))
    expected = np.concatenate([x[..., :3] @ a, x[..., 3:5] @ b, x[..., 5:] @ c], axis=-1) + 1
    np.testing.assert_allclose(outputs, expected, atol=1e-5)


def test_a_number_by_hand() -> None:
    layer = GroupedPointwiseConv2D(2, groups=2)
    layer.build((None, 1, 1, 3))
    layer.set_weights([np.array([[[[2.0], [3.0]]]]), np.array([[[[5.0]]]])])
    outputs = layer(np.array([[[[1.0, 10.0, 100.0]]]], "float32"))
    np.testing.assert_array_equal(outputs, [[[[32.0, 500.0]]]])


def test_one_group_is_the_ordinary_convolution(rng: np.random.Generator) -> None:
    x = rng.standard_normal((2, 3, 4, 5), "float32")
    ours, keras_own = GroupedPointwiseConv2D(6), keras.layers.Conv2D(6, 1, use_bias=False)
    ours.build(x.shape)
    keras_own.build(x.shape)
    keras_own.set_weights(ours.get_weights())
    assert [variable.name for variable in ours.weights] == [variable.name for variable in keras_own.weights]
    for training in (True, False):
        np.testing.assert_allclose(ours(x, training=training), keras_own(x), atol=1e-6)


def test_channels_first_equals_channels_last(rng: np.random.Generator) -> None:
    x = rng.standard_normal((2, 3, 4, 5), "float32")
    last = GroupedPointwiseConv2D(6, 2, use_bias=True, bias_initializer="random_normal", data_format="channels_last")
    first = GroupedPointwiseConv2D(6, 2, use_bias=True, data_format="channels_first")
    outputs = np.asarray(last(x))
    first.build((2, 5, 3, 4))
    first.set_weights(last.get_weights())
    moved = np.asarray(first(x.transpose(0, 3, 1, 2)))
    assert moved.shape == first.compute_output_shape((2, 5, 3, 4))
    np.testing.assert_allclose(moved.transpose(0, 2, 3, 1), outputs, atol=1e-6)


def test_groups_with_one_seed_start_with_different_weights() -> None:
    layer = GroupedPointwiseConv2D(8, 2, kernel_initializer=keras.initializers.RandomNormal(seed=1))
    layer.build((None, 1, 1, 8))
    first, second = layer.get_weights()
    assert np.abs(first - second).min() > 0


def test_gradient_in_every_weight(gradients: Any, rng: np.random.Generator) -> None:
    x = rng.standard_normal((2, 3, 3, 5), "float32")
    upstream = rng.standard_normal((2, 3, 3, 4), "float32")
    layer = GroupedPointwiseConv2D(4, 2, use_bias=True)
    layer.build(x.shape)
    _, weights = gradients(layer, x, upstream)
    correlation = np.einsum("nhwi,nhwo->io", x, upstream)
    np.testing.assert_allclose(weights["kernel_0"][0, 0], correlation[:3, :2], atol=1e-5)
    np.testing.assert_allclose(weights["kernel_1"][0, 0], correlation[3:, 2:], atol=1e-5)
    np.testing.assert_allclose(weights["bias"], upstream.sum(axis=(0, 1, 2)), atol=1e-5)


@pytest.mark.parametrize(
    "options", [{"filters": 5}, {"filters": 6, "groups": 4, "use_bias": True, "kernel_regularizer": "l2"}]
)
def test_saved_and_loaded_it_gives_identical_outputs(options: Any, reload: Any, rng: np.random.Generator) -> None:
    x = rng.standard_normal((1, 7, 6, 5), "float32")
    model, loaded = reload(GroupedPointwiseConv2D(**options), (None, None, 5))
    np.testing.assert_array_equal(model(x), loaded(x))
    assert loaded.layers[1].get_config() == model.layers[1].get_config()


@pytest.mark.parametrize("groups", [0, 5])
def test_invalid_groups_are_refused(groups: int) -> None:
    with pytest.raises(ValueError, match="1 <= groups <= filters"):
        GroupedPointwiseConv2D(4, groups)


def test_an_unknown_data_format_is_refused() -> None:
    with pytest.raises(ValueError, match=r"GroupedPointwiseConv2D: data_format must be one of .*, got 'channel_last'"):
        GroupedPointwiseConv2D(8, data_format="channel_last")
