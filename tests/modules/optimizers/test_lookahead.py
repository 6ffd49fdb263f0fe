"""Lookahead against closed forms, plain numpy loops and its own inner optimizer; Ranger against the two together."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from efficientmixnet.modules.optimizers import Lookahead, Ranger, RectifiedAdam

ON_JAX = keras.backend.backend() == "jax"
GRADIENTS = np.random.default_rng(6).standard_normal((30, 3)).astype("float32")
START = [1.0, -2.0, 0.5]


def numpy_of(variable: keras.Variable) -> np.ndarray:
    return np.array(ops.convert_to_numpy(variable.value))


def walk(optimizer: keras.optimizers.Optimizer, gradients: np.ndarray = GRADIENTS) -> np.ndarray:
    """The path of the model's weights under given gradients: [steps, 3]."""
    variable = keras.Variable(START, name="kernel")
    path = []
    for gradient in gradients:
        optimizer.apply([ops.convert_to_tensor(gradient)], [variable])
        path.append(numpy_of(variable))
    return np.array(path)


def numpy_adam(
    gradients: np.ndarray, sync_period: int, slow_step_size: float, rate: Callable[[int], float]
) -> np.ndarray:
    """Lookahead over Adam as a plain loop in float64. (Keras's Adam itself is right to 1e-5: it forms 1 - β₂ᵗ.)"""
    fast = slow = np.array(START, "float64")
    m, v = 0.0, 0.0
    path = []
    for t, g in enumerate(gradients.astype("float64"), 1):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        fast = fast - rate(t) * np.sqrt(1 - 0.999**t) / (1 - 0.9**t) * m / (np.sqrt(v) + 1e-7)
        if t % sync_period == 0:
            slow = slow + slow_step_size * (fast - slow)
            fast = slow
        path.append(fast)
    return np.array(path)


def test_over_sgd_on_a_parabola_it_is_the_closed_form() -> None:
    # f = a x² / 2: a step of SGD multiplies by 1 - η a, a period the slow weights by 1 - α + α (1 - η a)^k.
    curvature, rate, period, step = 3.0, 0.1, 4, 0.3
    q = (1 - rate * curvature) ** period
    optimizer = Lookahead(keras.optimizers.SGD(rate), period, step)
    variable = keras.Variable([2.0])
    for n in range(1, 41):
        optimizer.apply([curvature * variable.value], [variable])
        periods, inside = divmod(n, period)
        expected = 2.0 * (1 - step + step * q) ** periods * (1 - rate * curvature) ** inside
        np.testing.assert_allclose(numpy_of(variable), expected, rtol=1e-5)


@pytest.mark.parametrize(("sync_period", "slow_step_size"), [(6, 0.5), (1, 0.3), (5, 0.8), (100, 0.5)])
def test_over_adam_it_is_a_plain_loop(sync_period: int, slow_step_size: float) -> None:
    path = walk(Lookahead(keras.optimizers.Adam(0.05), sync_period, slow_step_size))
    np.testing.assert_allclose(path, numpy_adam(GRADIENTS, sync_period, slow_step_size, lambda t: 0.05), atol=1e-5)


INNER: dict[str, Callable[[], keras.optimizers.Optimizer]] = {
    "sgd": lambda: keras.optimizers.SGD(0.05, momentum=0.9),
    "adam": lambda: keras.optimizers.Adam(0.05),
    "rmsprop": lambda: keras.optimizers.RMSprop(0.05),
    "radam": lambda: RectifiedAdam(0.05, weight_decay=0.1),
}


@pytest.mark.parametrize("inner", INNER.values(), ids=INNER.keys())
def test_with_period_and_step_of_one_it_is_its_inner_optimizer_to_the_bit(inner: Callable) -> None:
    np.testing.assert_array_equal(walk(Lookahead(inner(), 1, 1.0)), walk(inner()))


def test_goes_around_itself() -> None:
    outer = Lookahead(Lookahead(keras.optimizers.SGD(0.1), 2, 0.5), 4, 0.5)
    # On gradients of 1, two steps of .1 and half of the way back, twice; then half of all of that:
    # -.1, -.2 → -.1, -.2, -.3 → -.2 → -.1
    path = walk(outer, np.ones((4, 3), "float32"))[:, 0] - START[0]
    np.testing.assert_allclose(path, [-0.1, -0.1, -0.2, -0.1], rtol=1e-5)


def test_slow_weights_start_where_training_does() -> None:
    # Weights that are loaded between build and the first step count, not what build found.
    optimizer, variable = Lookahead(keras.optimizers.SGD(1.0), 1, 0.5), keras.Variable([0.0])
    optimizer.build([variable])
    variable.assign([10.0])
    optimizer.apply([ops.convert_to_tensor([2.0])], [variable])
    np.testing.assert_array_equal(numpy_of(variable), 9.0)


def test_training_ends_with_the_slow_weights() -> None:
    optimizer, variable = Lookahead(keras.optimizers.SGD(1.0), 3, 0.5), keras.Variable([0.0])
    optimizer.build([variable])
    for step, expected in enumerate([-1.0, -2.0, -1.5, -2.5], 1):
        optimizer.apply([ops.convert_to_tensor([1.0])], [variable])
        np.testing.assert_array_equal(numpy_of(variable), expected, f"step {step}")
    optimizer.finalize_variable_values([variable])
    np.testing.assert_array_equal(numpy_of(variable), -1.5)


def test_training_that_ends_within_the_first_period_leaves_the_initial_weights() -> None:
    optimizer, variable = Lookahead(keras.optimizers.SGD(1.0)), keras.Variable([4.0])
    optimizer.apply([ops.convert_to_tensor([1.0])], [variable])
    optimizer.finalize_variable_values([variable])
    np.testing.assert_array_equal(numpy_of(variable), 4.0)


def test_averaged_weights_of_the_inner_optimizer_come_last() -> None:
    inner = keras.optimizers.SGD(1.0, use_ema=True, ema_momentum=0.5)
    optimizer, variable = Lookahead(inner, 10), keras.Variable([0.0])
    for _ in range(3):
        optimizer.apply([ops.convert_to_tensor([1.0])], [variable])
    optimizer.finalize_variable_values([variable])
    np.testing.assert_array_equal(numpy_of(variable), -2.25)  # of -1, -2, -3: -1, -1.5, -2.25


def test_period_counts_updates_not_accumulated_gradients() -> None:
    inner = keras.optimizers.Adam(0.05, gradient_accumulation_steps=3)
    path = walk(Lookahead(inner, 4))
    expected = numpy_adam(GRADIENTS.reshape(10, 3, 3).mean(1), 4, 0.5, lambda t: 0.05)
    np.testing.assert_allclose(path[2::3], expected, atol=1e-5)


def test_schedule_and_assignment_reach_the_inner_optimizer() -> None:
    def rate(t: int) -> float:
        return 0.1 if t <= 10 else 0.01

    expected = numpy_adam(GRADIENTS, 6, 0.5, rate)
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([9], [0.1, 0.01])
    np.testing.assert_allclose(walk(Lookahead(keras.optimizers.Adam(schedule))), expected, atol=1e-5)

    optimizer, variable = Lookahead(keras.optimizers.Adam(0.1)), keras.Variable(START)
    for t, gradient in enumerate(GRADIENTS):
        if t == 10:
            optimizer.learning_rate = 0.01
        optimizer.apply([ops.convert_to_tensor(gradient)], [variable])
    np.testing.assert_allclose(numpy_of(variable), expected[-1], atol=1e-5)
    assert float(ops.convert_to_numpy(optimizer.learning_rate)) == pytest.approx(0.01)


def small_model() -> keras.Model:
    keras.utils.set_random_seed(3)
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(5, "tanh"), keras.layers.Dense(2)])


def small_data() -> tuple[np.ndarray, np.ndarray]:
    inputs = np.random.default_rng(7).standard_normal((32, 4)).astype("float32")
    return inputs, inputs[:, :2] - inputs[:, 2:]


def fitted(optimizer: Any, **compiled: Any) -> keras.Model:
    model = small_model()
    model.compile(optimizer, "mse", **compiled)
    model.fit(*small_data(), batch_size=8, epochs=3, shuffle=False, verbose=0)
    return model


def test_callbacks_change_the_inner_learning_rate() -> None:
    model = small_model()
    model.compile(Lookahead(keras.optimizers.SGD(0.1)), "mse")
    halve = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
    model.fit(*small_data(), batch_size=8, epochs=3, verbose=0, callbacks=[halve])
    assert float(ops.convert_to_numpy(model.optimizer.inner_optimizer.learning_rate)) == pytest.approx(0.1 / 8)


@pytest.mark.skipif(ON_JAX, reason="JAX compiles always")
def test_compiled_by_xla_it_learns_the_same() -> None:
    plain, compiled = (fitted(Lookahead(RectifiedAdam(0.05), 5), jit_compile=xla) for xla in (False, True))
    for one, other in zip(plain.get_weights(), compiled.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_variables_without_a_gradient_stay() -> None:
    optimizer, moved, still = Lookahead(keras.optimizers.SGD(1.0), 2), keras.Variable([1.0]), keras.Variable([2.0])
    optimizer.build([moved, still])
    gradient = ops.convert_to_tensor([1.0])
    with pytest.warns(UserWarning, match="Gradients do not exist"):
        for _ in range(2):
            optimizer.apply([gradient, None], [moved, still])
    optimizer.apply([gradient, gradient], [moved, still])
    # 1, 0, -1 and half of the way back, 0, then -1; the other begins with the third step.
    np.testing.assert_array_equal([numpy_of(moved)[0], numpy_of(still)[0]], [-1.0, 1.0])


def test_averaged_weights_can_be_swapped_in_for_validation() -> None:
    model = small_model()
    model.compile(Lookahead(keras.optimizers.SGD(0.05, use_ema=True, ema_momentum=0.5)), "mse")
    swap = keras.callbacks.SwapEMAWeights(swap_on_epoch=True)
    history = model.fit(*small_data(), batch_size=8, epochs=4, verbose=0, callbacks=[swap]).history
    assert history["loss"][-1] < history["loss"][0]


def test_loss_scaling_changes_nothing_but_the_scale() -> None:
    plain = fitted(Lookahead(keras.optimizers.Adam(0.01), 5))
    scaled = fitted(keras.optimizers.LossScaleOptimizer(Lookahead(keras.optimizers.Adam(0.01), 5), 2.0**6))
    for one, other in zip(plain.get_weights(), scaled.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_loss_scale_is_switched_off_inside_a_loss_scale_optimizer() -> None:
    inner = keras.optimizers.Adam(loss_scale_factor=8.0)
    assert float(Lookahead(inner).scale_loss(2.0)) == 16.0
    keras.optimizers.LossScaleOptimizer(Lookahead(inner))
    assert inner.loss_scale_factor is None


def test_step_with_overflowed_gradients_is_skipped_whole() -> None:
    optimizer = keras.optimizers.LossScaleOptimizer(Lookahead(keras.optimizers.SGD(1.0), 2), initial_scale=2.0)
    variable = keras.Variable([0.0])
    optimizer.build([variable])
    values = [variable.value]
    state = [v.value for v in optimizer.variables]
    for gradient in (2.0, np.inf, 2.0):
        gradients = [ops.convert_to_tensor([np.float32(gradient)])]
        if ON_JAX:
            values, state = optimizer.stateless_apply(state, gradients, values)
        else:
            optimizer.apply(gradients, [variable])
            values = [variable.value]
    # The scale is 2, then 1: steps of 1 and of 2, and half of the way back after two updates.
    np.testing.assert_array_equal(ops.convert_to_numpy(values[0]), -1.5)


def test_trains_in_mixed_precision() -> None:
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model, untrained = fitted(Lookahead(RectifiedAdam(0.05))), small_model()
    finally:
        keras.config.set_dtype_policy("float32")
    untrained.compile(loss="mse")
    assert isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
    assert {weight.dtype for weight in model.weights} == {"float32"}
    assert model.evaluate(*small_data(), verbose=0) < 0.8 * untrained.evaluate(*small_data(), verbose=0)


def test_memory_is_one_more_copy_of_the_weights() -> None:
    model = small_model()
    inner, around = keras.optimizers.Adam(), Lookahead(keras.optimizers.Adam())
    inner.build(model.trainable_variables)
    around.build(model.trainable_variables)

    def size(variables: list) -> int:
        return sum(int(np.prod(variable.shape)) for variable in variables)

    counters = 2  # Keras gives every optimizer a step counter and a learning rate
    assert size(around.variables) == size(inner.variables) + size(model.trainable_variables) + counters


def test_weights_can_be_taken_and_given_whole() -> None:
    one, other = Lookahead(keras.optimizers.Adam(0.1)), Lookahead(keras.optimizers.Adam(0.1))
    variable = keras.Variable(START)
    for gradient in GRADIENTS[:8]:
        one.apply([ops.convert_to_tensor(gradient)], [variable])
    other.build([variable])
    other.set_weights([numpy_of(v) for v in one.variables])
    for mine, theirs in zip(one.variables, other.variables, strict=True):
        np.testing.assert_array_equal(numpy_of(mine), numpy_of(theirs))


def test_weight_decay_exclusions_reach_the_inner_optimizer() -> None:
    kernel, bias = keras.Variable([1.0], name="kernel"), keras.Variable([1.0], name="bias")
    optimizer = Ranger(0.1, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    optimizer.apply([ops.zeros(1), ops.zeros(1)], [kernel, bias])
    np.testing.assert_allclose([numpy_of(kernel)[0], numpy_of(bias)[0]], [0.95, 1.0], rtol=1e-6)


def test_ranger_is_lookahead_around_rectified_adam() -> None:
    settings = {"beta_2": 0.98, "weight_decay": 0.1, "clipnorm": 0.5}
    np.testing.assert_array_equal(
        walk(Ranger(0.05, sync_period=4, slow_step_size=0.6, **settings)),
        walk(Lookahead(RectifiedAdam(0.05, **settings), 4, 0.6)),
    )


def test_configuration_survives_a_round_trip() -> None:
    schedule = keras.optimizers.schedules.CosineDecay(0.1, 100)
    optimizers = (
        Lookahead(RectifiedAdam(schedule, beta_1=0.8, weight_decay=0.01), 5, 0.8, name="mine"),
        Lookahead(Lookahead(keras.optimizers.SGD(0.1, momentum=0.9), 2), 4),
        Ranger(schedule, sync_period=3, slow_step_size=0.4, beta_1=0.8, clipnorm=1.0, name="mine"),
    )
    for optimizer in optimizers:
        restored = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
        assert type(restored) is type(optimizer)
        assert restored.get_config() == optimizer.get_config()


def test_takes_a_name_or_a_configuration() -> None:
    assert type(Lookahead("sgd").inner_optimizer) is keras.optimizers.SGD
    config = keras.optimizers.serialize(keras.optimizers.Adam(beta_1=0.8))
    assert Lookahead(config).inner_optimizer.beta_1 == 0.8


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sync_period": 0}, "sync_period must be a whole number of 1 or more, not 0"),
        ({"sync_period": 2.5}, "sync_period must be a whole number of 1 or more, not 2.5"),
        ({"slow_step_size": 0.0}, r"slow_step_size must be in \(0, 1\], not 0.0"),
        ({"slow_step_size": 1.5}, r"slow_step_size must be in \(0, 1\], not 1.5"),
    ],
)
def test_wrong_setting_is_named(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Lookahead(keras.optimizers.SGD(), **arguments)


def test_loss_scaling_inside_is_refused() -> None:
    with pytest.raises(ValueError, match="LossScaleOptimizer goes around it"):
        Lookahead(keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD()))


def test_steps_before_build_are_refused() -> None:
    with pytest.raises(ValueError, match="needs build"):
        Lookahead(keras.optimizers.SGD()).apply([ops.zeros(1)])
