"""RectifiedAdam against PyTorch's path, hand-worked steps, and the paper's equations in numpy's float64."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from efficientmixnet.modules.optimizers import RectifiedAdam
from efficientmixnet.modules.optimizers.rectified_adam import average_length

PYTORCH = json.loads((Path(__file__).parent / "radam.json").read_text())
# On the other backends Keras decays weights in float32, and JAX does everything in it.
PRECISIONS = [("float32", 1e-6)] + [("float64", 1e-8)] * (keras.backend.backend() == "tensorflow")
GRADIENTS = np.random.default_rng(5).standard_normal((40, 3))


def walk(optimizer: keras.optimizers.Optimizer, start: Any, gradients: Any, dtype: str = "float32") -> np.ndarray:
    """The path of one variable under given gradients: [steps, n]."""
    variable = keras.Variable(np.array(start), dtype=dtype, name="kernel")
    path = []
    for gradient in np.asarray(gradients, dtype):
        optimizer.apply([ops.convert_to_tensor(gradient)], [variable])
        path.append(ops.convert_to_numpy(variable.value).copy())
    return np.array(path)


def equations(
    start: Any,
    gradients: np.ndarray,
    rate: Callable[[int], float],
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-7,
    weight_decay: float = 0.0,
    sma_threshold: float = 5.0,
    degenerate_to_sgd: bool = True,
    amsgrad: bool = False,
) -> np.ndarray:
    """Algorithm 2 of the paper in float64, with epsilon added to the uncorrected root."""
    theta, m, v, v_max = np.array(start, "float64"), 0.0, 0.0, 0.0
    rho_inf = 2 / (1 - beta_2) - 1
    path = []
    for t, g in enumerate(gradients, 1):
        theta = theta - rate(t) * weight_decay * theta
        m = beta_1 * m + (1 - beta_1) * g
        v = beta_2 * v + (1 - beta_2) * g**2
        v_max = np.maximum(v_max, v)
        m_hat = m / (1 - beta_1**t)
        rho = rho_inf - 2 * t * beta_2**t / (1 - beta_2**t)
        if rho > sma_threshold:
            r = np.sqrt((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho))
            adaptive = np.sqrt(1 - beta_2**t) / (np.sqrt(v_max if amsgrad else v) + epsilon)
            theta = theta - rate(t) * r * m_hat * adaptive
        elif degenerate_to_sgd:
            theta = theta - rate(t) * m_hat
        path.append(theta)
    return np.array(path)


@pytest.mark.parametrize(("dtype", "tolerance"), PRECISIONS)
@pytest.mark.parametrize("case", PYTORCH, ids=["defaults", "decoupled decay"])
def test_path_equals_pytorch(case: dict, dtype: str, tolerance: float) -> None:
    decay = case["decoupled_weight_decay"] or None
    optimizer = RectifiedAdam(case["lr"], case["beta_1"], case["beta_2"], case["epsilon"], weight_decay=decay)
    path = walk(optimizer, case["start"], case["grads"], dtype)
    np.testing.assert_allclose(path, case["path"], rtol=0, atol=tolerance)


def test_steps_around_the_threshold_by_hand() -> None:
    # Under a gradient of 1, m̂ = v̂ = 1, and every step is η r_t. β₂ = .999, in 40 digits: ρ_1 ... ρ_5 = 1, 1.9995,
    # 2.9987, 3.9975, 4.9960: plain steps. ρ_6 = 5.994163752, ρ_7 = 6.991996004, ρ_8 = 7.989494758.
    r = [1, 1, 1, 1, 1, 0.025821112802, 0.032738814410, 0.038738277020]
    path = walk(RectifiedAdam(0.1, epsilon=0.0), [0.0], np.ones((8, 1)))
    np.testing.assert_allclose(-np.diff(path[:, 0], prepend=0.0), 0.1 * np.array(r), atol=1e-7)


@pytest.mark.parametrize("beta_2", [0.9, 0.99, 0.999])
def test_first_rectified_step_is_the_sixth(beta_2: float) -> None:
    path = walk(RectifiedAdam(0.1, beta_2=beta_2, degenerate_to_sgd=False), [1.0], np.ones((6, 1)))
    np.testing.assert_array_equal(path[:5, 0], 1.0)
    assert path[5, 0] < 1.0


@pytest.mark.parametrize(
    "settings",
    [
        {"beta_1": 0.95, "beta_2": 0.98},
        {"beta_1": 0.0, "beta_2": 0.9},
        {"beta_2": 0.5},  # never rectified: ρ_∞ = 3
        {"beta_2": 0.9999, "sma_threshold": 4.0},
        {"sma_threshold": 6.5, "degenerate_to_sgd": False},
        {"amsgrad": True, "beta_2": 0.9},
        {"amsgrad": True, "weight_decay": 0.3, "epsilon": 0.1},
    ],
    ids=str,
)
def test_path_follows_the_equations(settings: dict) -> None:
    path = walk(RectifiedAdam(0.05, **settings), [1.0, -2.0, 0.5], GRADIENTS)
    np.testing.assert_allclose(path, equations([1.0, -2.0, 0.5], GRADIENTS, lambda t: 0.05, **settings), atol=3e-6)


@pytest.mark.parametrize("beta_2", [0.9, 0.99, 0.999, 0.9999])
def test_average_length_is_precise_in_float32(beta_2: float) -> None:
    t = np.array([1, 2, 3, 4, 5, 6, 7, 8, 20, 100, 10**3, 10**5, 10**7], "float64")
    exact = 2 / (1 - beta_2) - 1 - 2 * t * beta_2**t / (1 - beta_2**t)
    rho = average_length(beta_2, ops.convert_to_tensor(t.astype("float32")))
    np.testing.assert_allclose(ops.convert_to_numpy(rho), exact, rtol=5e-7)


def test_after_a_million_steps_it_is_adam() -> None:
    ends = []
    for optimizer in (RectifiedAdam(0.01), keras.optimizers.Adam(0.01)):
        variable = keras.Variable([1.0, 2.0, 3.0])
        optimizer.build([variable])
        optimizer.iterations.assign(10**6)
        for gradient in GRADIENTS[:10].astype("float32"):
            optimizer.apply([ops.convert_to_tensor(gradient)], [variable])
        ends.append(ops.convert_to_numpy(variable.value))
    np.testing.assert_allclose(ends[0], ends[1], rtol=1e-6)


def test_rises_and_falls_over_total_steps() -> None:
    # 20 updates, a quarter of them rising: t / 5 of the rate, then from .1 to .02 in 15 steps, then .02.
    def rate(t: int) -> float:
        return 0.1 * t / 5 if t <= 5 else 0.1 - 0.08 * min(t - 5, 15) / 15

    optimizer = RectifiedAdam(0.1, weight_decay=0.2, total_steps=20, warmup_proportion=0.25, min_lr=0.02)
    path = walk(optimizer, [1.0, -2.0, 0.5], GRADIENTS)
    np.testing.assert_allclose(path, equations([1.0, -2.0, 0.5], GRADIENTS, rate, weight_decay=0.2), atol=3e-6)


def test_learning_rate_follows_a_schedule_and_an_assignment() -> None:
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([9], [0.1, 0.01])
    expected = equations([1.0, -2.0, 0.5], GRADIENTS, lambda t: 0.1 if t <= 10 else 0.01)
    np.testing.assert_allclose(walk(RectifiedAdam(schedule), [1.0, -2.0, 0.5], GRADIENTS), expected, atol=3e-6)

    optimizer = RectifiedAdam(0.1)
    variable = keras.Variable([1.0, -2.0, 0.5])
    for t, gradient in enumerate(GRADIENTS.astype("float32")):
        if t == 10:
            optimizer.learning_rate = 0.01
        optimizer.apply([ops.convert_to_tensor(gradient)], [variable])
    np.testing.assert_allclose(ops.convert_to_numpy(variable.value), expected[-1], atol=3e-6)


def clipped_by_norm(gradient: np.ndarray) -> np.ndarray:
    return gradient / max(np.linalg.norm(gradient) / 0.7, 1.0)


@pytest.mark.parametrize(
    ("option", "clip"),
    [
        ({"clipnorm": 0.7}, clipped_by_norm),
        ({"global_clipnorm": 0.7}, clipped_by_norm),
        ({"clipvalue": 0.7}, lambda gradient: np.clip(gradient, -0.7, 0.7)),
        ({"loss_scale_factor": 8.0}, lambda gradient: gradient / 8),
    ],
    ids=["clipnorm", "global_clipnorm", "clipvalue", "loss_scale_factor"],
)
def test_option_changes_gradients_before_the_step(option: dict, clip: Callable) -> None:
    expected = equations([1.0, -2.0, 0.5], np.array([clip(gradient) for gradient in GRADIENTS]), lambda t: 0.05)
    np.testing.assert_allclose(walk(RectifiedAdam(0.05, **option), [1.0, -2.0, 0.5], GRADIENTS), expected, atol=3e-6)


def test_global_clipnorm_measures_all_variables_together() -> None:
    variables = [keras.Variable([0.0]), keras.Variable([0.0])]
    optimizer = RectifiedAdam(1.0, beta_1=0.0, global_clipnorm=1.0)
    optimizer.apply([ops.convert_to_tensor([3.0]), ops.convert_to_tensor([4.0])], variables)
    np.testing.assert_allclose([-0.6, -0.8], [float(ops.convert_to_numpy(v.value)[0]) for v in variables], rtol=1e-6)


def test_accumulated_gradients_are_one_step_of_their_mean() -> None:
    path = walk(RectifiedAdam(0.05, gradient_accumulation_steps=4), [1.0, -2.0, 0.5], GRADIENTS)
    expected = equations([1.0, -2.0, 0.5], GRADIENTS.reshape(10, 4, 3).mean(1), lambda t: 0.05)
    np.testing.assert_allclose(path[3::4], expected, atol=3e-6)
    np.testing.assert_array_equal(path[:3], [[1.0, -2.0, 0.5]] * 3)


def test_training_ends_with_the_averaged_weights() -> None:
    optimizer = RectifiedAdam(0.05, use_ema=True, ema_momentum=0.8)
    variable = keras.Variable([1.0, -2.0, 0.5])
    for gradient in GRADIENTS.astype("float32"):
        optimizer.apply([ops.convert_to_tensor(gradient)], [variable])
    optimizer.finalize_variable_values([variable])
    path = equations([1.0, -2.0, 0.5], GRADIENTS, lambda t: 0.05)
    average = path[0]
    for weights in path[1:]:
        average = 0.8 * average + 0.2 * weights
    np.testing.assert_allclose(ops.convert_to_numpy(variable.value), average, atol=3e-6)


def test_the_average_replaces_the_weights_every_few_steps() -> None:
    optimizer = RectifiedAdam(0.05, use_ema=True, ema_momentum=0.8, ema_overwrite_frequency=4)
    path = walk(optimizer, [1.0, -2.0, 0.5], GRADIENTS[:4])
    free = equations([1.0, -2.0, 0.5], GRADIENTS[:4], lambda t: 0.05)
    average = 0.8 * (0.8 * (0.8 * free[0] + 0.2 * free[1]) + 0.2 * free[2]) + 0.2 * free[3]
    np.testing.assert_allclose(path, [*free[:3], average], atol=3e-6)


@pytest.mark.parametrize("amsgrad", [False, True])
def test_keeps_no_more_state_than_adam(amsgrad: bool) -> None:
    shapes = []
    for optimizer in (RectifiedAdam(amsgrad=amsgrad), keras.optimizers.Adam(amsgrad=amsgrad)):
        optimizer.build([keras.Variable(np.zeros((3, 4)), "float32"), keras.Variable(np.zeros(4), "float32")])
        shapes.append(sorted((variable.dtype, tuple(variable.shape)) for variable in optimizer.variables))
    assert shapes[0] == shapes[1]


def test_excluded_variables_have_no_weight_decay() -> None:
    kernel, bias = keras.Variable([1.0], name="kernel"), keras.Variable([1.0], name="bias")
    optimizer = RectifiedAdam(0.1, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    for _ in range(3):
        optimizer.apply([ops.zeros(1), ops.zeros(1)], [kernel, bias])
    np.testing.assert_allclose(ops.convert_to_numpy(kernel.value), 0.95**3, rtol=1e-6)
    np.testing.assert_array_equal(ops.convert_to_numpy(bias.value), 1.0)


def test_configuration_survives_a_round_trip() -> None:
    settings = {
        "beta_1": 0.8,
        "beta_2": 0.98,
        "epsilon": 1e-6,
        "weight_decay": 0.01,
        "sma_threshold": 4.5,
        "degenerate_to_sgd": False,
        "total_steps": 100,
        "warmup_proportion": 0.2,
        "min_lr": 1e-5,
        "amsgrad": True,
        "clipnorm": 1.0,
        "use_ema": True,
        "ema_momentum": 0.9,
        "ema_overwrite_frequency": 7,
        "loss_scale_factor": 2.0,
        "gradient_accumulation_steps": 3,
        "name": "mine",
    }
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)
    restored = keras.optimizers.deserialize(keras.optimizers.serialize(RectifiedAdam(schedule, **settings)))
    assert type(restored) is RectifiedAdam
    config = restored.get_config()
    assert {key: config[key] for key in settings} == settings
    assert config["learning_rate"]["config"]["decay_rate"] == 0.5


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"beta_2": 1.0}, r"beta_2 must be in \[0, 1\), not 1.0"),
        ({"sma_threshold": 3.0}, "sma_threshold must be 4 or more, not 3.0"),
        ({"total_steps": -1}, "total_steps must not be negative"),
        ({"momentum": 0.9}, "momentum"),
    ],
)
def test_a_wrong_argument_is_named(settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RectifiedAdam(0.1, **settings)
