from typing import Any

import keras
import numpy as np
import pytest

from efficientmixnet.modules.layers import AttentiveNormalization

ON_TENSORFLOW = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="TensorFlow alone can do it")

FORMS = ("sigmoid", "hard_sigmoid")
LARGE = (3, 32, 32, 64)  # from 2^16 values a sample on, training on TensorFlow's CPU takes another path
Weights = dict[str, np.ndarray]


def attention(x: np.ndarray, form: str, weights: Weights, training: bool) -> np.ndarray:
    """Lambda of the equation: (batch, height, width, channels) -> (batch, mixtures)."""
    mean = x.mean(axis=(1, 2))
    if form == "sigmoid":
        return 1 / (1 + np.exp(-(mean @ weights["attention_kernel"] + weights["attention_bias"])))
    logits = mean / np.sqrt(x.var(axis=(1, 2)) + 1e-3) @ weights["attention_kernel"]
    inner = {name.removeprefix("inner/"): value for name, value in weights.items() if name.startswith("inner/")}
    center, spread = (
        (logits.mean(axis=0), logits.var(axis=0)) if training else (inner["moving_mean"], inner["moving_variance"])
    )
    return np.clip((logits - center) / np.sqrt(spread + 1e-3) * inner["gamma"] + inner["beta"] + 3, 0, 6) / 6


def an(x: np.ndarray, form: str, weights: Weights, training: bool) -> np.ndarray:
    """The equation, in float64, channels last, epsilon 1e-3."""
    x = x.astype("float64")
    mean, variance = weights["moving_mean"], weights["moving_variance"]
    if training:
        mean, variance = x.mean(axis=(0, 1, 2)), x.var(axis=(0, 1, 2))
    mixture = attention(x, form, weights, training)
    scale, shift = (mixture @ weights[name] for name in ("gamma", "beta"))  # (batch, channels)
    return scale[:, None, None] * (x - mean) / np.sqrt(variance + 1e-3) + shift[:, None, None]


def randomized(shape: tuple[int, ...], form: str, **options: Any) -> tuple[Any, Weights]:
    layer = AttentiveNormalization(3, form, name="an", **options)
    layer.build(shape)
    source = np.random.default_rng(1)
    for variable in layer.weights:
        variable.assign(source.uniform(0.2, 2, variable.shape))
    inner = {id(variable) for variable in layer.weights if "attention_normalization" in variable.path}
    return layer, {("inner/" if id(v) in inner else "") + v.name: np.asarray(v, "float64") for v in layer.weights}


@pytest.mark.parametrize("form", FORMS)
def test_a_number_by_hand(form: str) -> None:
    layer = AttentiveNormalization(1, form)
    x = np.array([1.0, 3.0], "float32").reshape(2, 1, 1, 1)  # mean 2, variance 1
    layer.build(x.shape)
    layer.attention_kernel.assign([[0.0]])
    layer.gamma.assign([[2.0]])
    layer.beta.assign([[4.0]])
    # lambda is a half in both forms: sigmoid(0), and (0 + 3) / 6; so 2 +- 1 / sqrt(1.001)
    np.testing.assert_allclose(np.ravel(layer(x, training=True)), [1.0004996, 2.9995004], rtol=1e-6)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("shape", [(4, 5, 6, 7), (1, 3, 3, 2), (2, 1, 1, 3), LARGE])
def test_equals_the_equation_in_training_and_inference(
    shape: tuple[int, ...], form: str, rng: np.random.Generator
) -> None:
    x = rng.standard_normal(shape, "float32") + 0.5
    layer, weights = randomized(shape, form)
    np.testing.assert_allclose(layer(x, training=False), an(x, form, weights, training=False), atol=1e-5)
    # The hard form normalizes over few samples, which amplifies rounding where these are alike, as large maps are.
    tolerance = 2e-5
    np.testing.assert_allclose(layer(x, training=True), an(x, form, weights, training=True), rtol=1e-4, atol=tolerance)


@pytest.mark.parametrize("form", FORMS)
def test_moving_statistics_after_three_steps_by_hand(form: str) -> None:
    layer = AttentiveNormalization(form=form, momentum=0.9)
    for _ in range(3):
        layer(np.array([0.0, 4.0], "float32").reshape(2, 1, 1, 1), training=True)
    np.testing.assert_allclose(layer.moving_mean, [0.542], rtol=1e-6)  # 2 (1 - .9^3)
    np.testing.assert_allclose(layer.moving_variance, [1.813], rtol=1e-6)  # .729 + 4 (1 - .9^3)


@pytest.mark.parametrize(("form", "total", "fixed"), [("sigmoid", 549, 64), ("hard_sigmoid", 564, 74)])
def test_parameters_at_32_channels_and_5_mixtures(form: str, total: int, fixed: int) -> None:
    layer = AttentiveNormalization(5, form)
    layer.build((None, None, None, 32))
    assert layer.count_params() == total
    assert sum(variable.shape[0] for variable in layer.non_trainable_variables) == fixed


def test_mixtures_of_the_paper_start_near_the_identity() -> None:
    layer = AttentiveNormalization(50, init="paper")
    layer.build((None, None, None, 100))
    gamma, beta = np.asarray(layer.gamma), np.asarray(layer.beta)
    assert (gamma.mean(), gamma.std()) == (pytest.approx(1, abs=0.01), pytest.approx(0.1, rel=0.05))
    assert (beta.mean(), beta.std()) == (pytest.approx(0, abs=0.01), pytest.approx(0.1, rel=0.05))


def test_mixtures_start_as_batch_normalization() -> None:
    """Fifty maps with weights of 1/2 have scales of 0.04, which sum to 2, with a tenth of noise."""
    layer = AttentiveNormalization(50)
    layer.build((None, None, None, 100))
    gamma = np.asarray(layer.gamma)
    np.testing.assert_allclose(gamma.sum(axis=0), 2, rtol=1e-5)
    assert gamma.std() == pytest.approx(0.004, rel=0.05)
    for zero in (layer.attention_kernel, layer.attention_bias, layer.beta):
        np.testing.assert_array_equal(zero, 0)


def test_an_unknown_start_is_refused() -> None:
    with pytest.raises(ValueError, match="AttentiveNormalization: init must be one of bn, paper, got 'zeros'"):
        AttentiveNormalization(init="zeros")


@pytest.mark.parametrize("form", FORMS)
def test_gradients_equal_differences_of_the_equation(form: str, gradients: Any, rng: np.random.Generator) -> None:
    x, upstream = rng.standard_normal((2, 3, 4, 4, 2), "float32")
    layer, weights = randomized(x.shape, form)

    def loss(x: np.ndarray, weights: Weights) -> float:
        return (an(x, form, weights, training=True) * upstream).sum()

    inputs, by_path = gradients(layer, x, upstream)
    assert len(by_path) == (4 if form == "sigmoid" else 5)
    for path, gradient in by_path.items():
        name = ("inner/" if "attention_normalization" in path else "") + path.rsplit("/", 1)[-1]
        for index in np.ndindex(gradient.shape):
            step = np.zeros(gradient.shape)
            step[index] = 1e-5
            up, down = ({**weights, name: weights[name] + sign * step} for sign in (1, -1))
            difference = (loss(x, up) - loss(x, down)) / 2e-5
            np.testing.assert_allclose(gradient[index], difference, rtol=2e-3, atol=2e-3, err_msg=path)
    for index in [(0, 0, 0, 0), (1, 2, 3, 1), (2, 3, 1, 0)]:
        step = np.zeros(x.shape)
        step[index] = 1e-5
        difference = (loss(x + step, weights) - loss(x - step, weights)) / 2e-5
        np.testing.assert_allclose(inputs[index], difference, rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize("form", FORMS)
def test_gradients_at_large_maps_equal_differences_along_a_direction(
    form: str, gradients: Any, rng: np.random.Generator
) -> None:
    x, upstream = rng.standard_normal((2, *LARGE), "float32") + rng.standard_normal((2, 3, 1, 1, 64), "float32")
    layer, weights = randomized(LARGE, form)

    def loss(x: np.ndarray, weights: Weights) -> float:
        return (an(x, form, weights, training=True) * upstream).sum()

    inputs, by_path = gradients(layer, x, upstream)
    direction = 1e-5 * rng.standard_normal((3, 1, 1, 64)) * (1 + x)  # moves the moments of every map
    difference = (loss(x + direction, weights) - loss(x - direction, weights)) / 2
    np.testing.assert_allclose((inputs * direction).sum(), difference, rtol=1e-3)
    for path, gradient in by_path.items():
        name = ("inner/" if "attention_normalization" in path else "") + path.rsplit("/", 1)[-1]
        direction = 1e-5 * rng.standard_normal(gradient.shape)
        up, down = ({**weights, name: weights[name] + sign * direction} for sign in (1, -1))
        difference = (loss(x, up) - loss(x, down)) / 2
        np.testing.assert_allclose((gradient * direction).sum(), difference, rtol=1e-3, err_msg=path)


@pytest.mark.parametrize("form", FORMS)
def test_channels_first_equals_channels_last(form: str, rng: np.random.Generator) -> None:
    x = rng.standard_normal((2, 3, 4, 5), "float32")
    last, _ = randomized(x.shape, form)
    first, _ = randomized((2, 5, 3, 4), form, axis=1)
    for training in (True, False):
        moved = np.asarray(first(x.transpose(0, 3, 1, 2), training=training))
        np.testing.assert_allclose(moved.transpose(0, 2, 3, 1), last(x, training=training), atol=1e-5)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_keeps_statistics_and_attention_in_float32(
    form: str, dtype: str, rng: np.random.Generator
) -> None:
    x = rng.standard_normal((4, 5, 5, 3), "float32")
    layer, weights = randomized(x.shape, form, dtype=dtype)
    outputs = layer(x, training=True)
    assert keras.backend.standardize_dtype(outputs.dtype) == dtype.removeprefix("mixed_")
    assert {variable.dtype for variable in layer.variables} == {"float32"}
    np.testing.assert_allclose(
        np.asarray(keras.ops.cast(outputs, "float32")), an(x, form, weights, training=True), atol=0.1
    )


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"n_mixture": 2, "form": "hard_sigmoid"},
        {"axis": 1, "momentum": 0.5, "epsilon": 0.1},
        {"moving_variance_initializer": "zeros", "gamma_regularizer": "l2", "beta_constraint": "non_neg"},
        pytest.param({"form": "hard_sigmoid", "synchronized": True}, marks=ON_TENSORFLOW),
    ],
)
def test_saved_and_loaded_it_gives_identical_outputs(options: Any, reload: Any, rng: np.random.Generator) -> None:
    x = rng.standard_normal((1, 5, 5, 5), "float32")
    model, loaded = reload(AttentiveNormalization(**options), (5, 5, 5))
    np.testing.assert_array_equal(model(x), loaded(x))
    assert loaded.layers[1].get_config() == model.layers[1].get_config()


def test_invalid_options_are_refused() -> None:
    with pytest.raises(ValueError, match="n_mixture must be at least 1"):
        AttentiveNormalization(0)
    with pytest.raises(ValueError, match="form must be one of sigmoid, hard_sigmoid, got 'softmax'"):
        AttentiveNormalization(form="softmax")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float16", 0.02), ("bfloat16", 0.1)])
def test_weights_of_half_precision_follow_the_equation(
    form: str, training: bool, dtype: str, tolerance: float, rng: np.random.Generator
) -> None:
    x = rng.standard_normal((4, 5, 5, 3), "float32")
    layer = AttentiveNormalization(3, form, dtype=dtype)
    layer.build(x.shape)
    weights = {variable.name: np.asarray(keras.ops.cast(variable, "float64")) for variable in layer.weights[:4]}
    weights |= {"moving_mean": np.zeros(3), "moving_variance": np.ones(3)}
    inner = {"gamma": np.ones(3), "beta": np.zeros(3), "moving_mean": np.zeros(3), "moving_variance": np.ones(3)}
    weights |= {f"inner/{name}": value for name, value in inner.items()}
    outputs = np.asarray(keras.ops.cast(layer(x, training=training), "float64"))
    assert {variable.dtype for variable in layer.variables} == {dtype}
    np.testing.assert_allclose(outputs, an(x, form, weights, training), atol=tolerance)


def test_regularizers_and_constraints_of_gamma_and_beta_apply() -> None:
    layer = AttentiveNormalization(
        2, gamma_regularizer=keras.regularizers.L2(0.5), beta_regularizer="l1", beta_constraint="non_neg"
    )
    layer.build((None, 4, 4, 1))
    layer.gamma.assign([[1.0], [3.0]])
    layer.beta.assign([[2.0], [-1.0]])
    np.testing.assert_allclose(sum(layer.losses), 5.03, rtol=1e-6)  # .5 (1 + 9) + .01 (2 + 1)
    assert layer.beta.constraint is layer.beta_constraint


@pytest.mark.parametrize("name", ["center", "scale", "gamma_initializer", "beta_initializer"])
def test_an_argument_without_a_meaning_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=rf"^AttentiveNormalization: takes no {name}, because it always has gamma"):
        AttentiveNormalization(**{name: "zeros"})
