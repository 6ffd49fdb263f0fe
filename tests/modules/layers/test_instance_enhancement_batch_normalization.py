from typing import Any

import keras
import numpy as np
import pytest

from efficientmixnet.modules.layers import InstanceEnhancementBatchNormalization

ON_TENSORFLOW = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="TensorFlow alone can do it")

LARGE = (3, 32, 32, 64)  # from 2^16 values a sample on, training on TensorFlow's CPU takes another path


def iebn(x: np.ndarray, weights: dict[str, np.ndarray], mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """The equation, in float64, channels last, epsilon 1e-3."""
    x = x.astype("float64")
    gate = 1 / (1 + np.exp(-(weights["gate_weight"] * x.mean(axis=(1, 2)) + weights["gate_bias"])))  # (batch, channels)
    return (x - mean) / np.sqrt(variance + 1e-3) * weights["gamma"] * gate[:, None, None] + weights["beta"]


def randomized(shape: tuple[int, ...], **options: Any) -> tuple[Any, dict[str, np.ndarray]]:
    layer = InstanceEnhancementBatchNormalization(**options)
    layer.build(shape)
    source = np.random.default_rng(1)
    for variable in layer.weights:
        variable.assign(source.uniform(0.2, 2, variable.shape))
    return layer, {variable.name: np.asarray(variable, "float64") for variable in layer.weights}


def test_a_number_by_hand() -> None:
    x = np.array([1.0, 3.0], "float32").reshape(2, 1, 1, 1)  # mean 2, variance 1
    outputs = InstanceEnhancementBatchNormalization(init="paper")(x, training=True)
    # BN gives 1 / sqrt(1.001) = .9995004, the gate sigmoid(-1) = .2689414
    np.testing.assert_allclose(np.ravel(outputs), [-0.268807, 0.268807], rtol=1e-5)


@pytest.mark.parametrize("shape", [(4, 5, 6, 7), (1, 3, 3, 2), (2, 1, 1, 3), LARGE])
def test_equals_the_equation_in_training_and_inference(shape: tuple[int, ...], rng: np.random.Generator) -> None:
    x = rng.standard_normal(shape, "float32") + 0.5
    layer, weights = randomized(shape)
    inference = iebn(x, weights, weights["moving_mean"], weights["moving_variance"])
    np.testing.assert_allclose(layer(x, training=False), inference, atol=1e-5)
    training = iebn(x, weights, x.mean(axis=(0, 1, 2)), x.var(axis=(0, 1, 2)))
    np.testing.assert_allclose(layer(x, training=True), training, atol=2e-5)


def test_moving_statistics_after_three_steps_by_hand() -> None:
    layer = InstanceEnhancementBatchNormalization(momentum=0.9)
    for _ in range(3):
        layer(np.array([0.0, 4.0], "float32").reshape(2, 1, 1, 1), training=True)
    np.testing.assert_allclose(layer.moving_mean, [0.542], rtol=1e-6)  # 2 (1 - .9^3)
    np.testing.assert_allclose(layer.moving_variance, [1.813], rtol=1e-6)  # .729 + 4 (1 - .9^3)


def test_has_192_parameters_at_32_channels() -> None:
    layer = InstanceEnhancementBatchNormalization()
    layer.build((None, None, None, 32))
    assert layer.count_params() == 192
    assert sum(variable.shape[0] for variable in layer.non_trainable_variables) == 64


def test_gradients_equal_differences_of_the_equation(gradients: Any, rng: np.random.Generator) -> None:
    x, upstream = rng.standard_normal((2, 3, 4, 4, 2), "float32")
    layer, weights = randomized(x.shape)

    def loss(x: np.ndarray, weights: dict[str, np.ndarray]) -> float:
        return (iebn(x, weights, x.mean(axis=(0, 1, 2)), x.var(axis=(0, 1, 2))) * upstream).sum()

    inputs, by_name = gradients(layer, x, upstream)
    assert set(by_name) == {"gamma", "beta", "gate_weight", "gate_bias"}
    for name, gradient in by_name.items():
        for channel in range(2):
            step = np.eye(2)[channel] * 1e-5
            up, down = ({**weights, name: weights[name] + sign * step} for sign in (1, -1))
            difference = (loss(x, up) - loss(x, down)) / 2e-5
            np.testing.assert_allclose(gradient[channel], difference, rtol=1e-3, atol=1e-4)
    for index in [(0, 0, 0, 0), (1, 2, 3, 1), (2, 3, 1, 0)]:
        step = np.zeros(x.shape)
        step[index] = 1e-5
        difference = (loss(x + step, weights) - loss(x - step, weights)) / 2e-5
        np.testing.assert_allclose(inputs[index], difference, rtol=1e-3, atol=1e-4)


def test_gradients_at_large_maps_equal_differences_along_a_direction(gradients: Any, rng: np.random.Generator) -> None:
    x, upstream = rng.standard_normal((2, *LARGE), "float32") + rng.standard_normal((2, 3, 1, 1, 64), "float32")
    layer, weights = randomized(LARGE)

    def loss(x: np.ndarray, weights: dict[str, np.ndarray]) -> float:
        return (iebn(x, weights, x.mean(axis=(0, 1, 2)), x.var(axis=(0, 1, 2))) * upstream).sum()

    x64 = x.astype("float64")
    inputs, by_name = gradients(layer, x, upstream)
    direction = 1e-5 * rng.standard_normal((3, 1, 1, 64)) * (1 + x64)  # moves the moments of every map
    difference = (loss(x64 + direction, weights) - loss(x64 - direction, weights)) / 2
    np.testing.assert_allclose((inputs * direction).sum(), difference, rtol=1e-3)
    for name, gradient in by_name.items():
        direction = 1e-5 * rng.standard_normal(gradient.shape)
        up, down = ({**weights, name: weights[name] + sign * direction} for sign in (1, -1))
        difference = (loss(x64, up) - loss(x64, down)) / 2
        np.testing.assert_allclose((gradient * direction).sum(), difference, rtol=1e-3, err_msg=name)


def test_channels_first_equals_channels_last(rng: np.random.Generator) -> None:
    x = rng.standard_normal((2, 3, 4, 5), "float32")
    last, _ = randomized(x.shape)
    first, _ = randomized((2, 5, 3, 4), axis=1)
    for training in (True, False):
        moved = np.asarray(first(x.transpose(0, 3, 1, 2), training=training))
        np.testing.assert_allclose(moved.transpose(0, 2, 3, 1), last(x, training=training), atol=1e-5)


@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_keeps_statistics_and_gate_in_float32(dtype: str, rng: np.random.Generator) -> None:
    x = rng.standard_normal((4, 5, 5, 3), "float32")
    layer, weights = randomized(x.shape, dtype=dtype)
    outputs = layer(x, training=True)
    assert keras.backend.standardize_dtype(outputs.dtype) == dtype.removeprefix("mixed_")
    assert {variable.dtype for variable in layer.variables} == {"float32"}
    expected = iebn(x, weights, x.mean(axis=(0, 1, 2)), x.var(axis=(0, 1, 2)))
    np.testing.assert_allclose(np.asarray(keras.ops.cast(outputs, "float32")), expected, atol=0.05)


def test_frozen_it_runs_in_inference_mode(rng: np.random.Generator) -> None:
    x = rng.standard_normal((2, 3, 3, 2), "float32")
    layer, weights = randomized(x.shape)
    layer.trainable = False
    expected = iebn(x, weights, weights["moving_mean"], weights["moving_variance"])
    np.testing.assert_allclose(layer(x, training=True), expected, atol=1e-5)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"axis": 1, "momentum": 0.5, "epsilon": 0.1},
        {"moving_mean_initializer": "ones", "beta_regularizer": "l1", "gamma_constraint": "non_neg"},
        pytest.param({"synchronized": True}, marks=ON_TENSORFLOW),
    ],
)
def test_saved_and_loaded_it_gives_identical_outputs(options: Any, reload: Any, rng: np.random.Generator) -> None:
    x = rng.standard_normal((1, 5, 5, 5), "float32")
    model, loaded = reload(InstanceEnhancementBatchNormalization(**options), (5, 5, 5))
    np.testing.assert_array_equal(model(x), loaded(x))
    assert loaded.layers[1].get_config() == model.layers[1].get_config()


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_weights_of_half_precision_start_as_batch_normalization(
    dtype: str, training: bool, rng: np.random.Generator
) -> None:
    x = rng.standard_normal((4, 5, 5, 3), "float32")
    layer = InstanceEnhancementBatchNormalization(dtype=dtype)
    outputs = np.asarray(keras.ops.cast(layer(x, training=training), "float32"))
    assert {variable.dtype for variable in layer.variables} == {dtype}
    mean, variance = (x.mean(axis=(0, 1, 2)), x.var(axis=(0, 1, 2))) if training else (0, 1)
    np.testing.assert_allclose(outputs, (x - mean) / np.sqrt(variance + 1e-3), atol=0.05)


def test_regularizers_and_initial_statistics_apply() -> None:
    layer = InstanceEnhancementBatchNormalization(
        init="paper", gamma_regularizer=keras.regularizers.L2(0.5), moving_mean_initializer="ones"
    )
    layer.build((None, 4, 4, 3))
    np.testing.assert_allclose(sum(layer.losses), 1.5, rtol=1e-6)  # gamma is 1 in each of three channels
    np.testing.assert_array_equal(layer.moving_mean, np.ones(3))


def test_center_is_refused_in_one_line() -> None:
    with pytest.raises(ValueError, match=r"^\w+: takes no center, because it always .*; leave it out\.$"):
        InstanceEnhancementBatchNormalization(center=False)
