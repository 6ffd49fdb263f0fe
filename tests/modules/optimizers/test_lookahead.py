"""Lookahead's path: against closed forms, plain numpy loops and its own inner optimizer."""

import warnings
from collections.abc import Callable

import keras
import numpy as np
import pytest
from keras import ops

from efficientmixnet.modules.optimizers import Lookahead, RectifiedAdam

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


def test_lookahead_around_sgd_follows_the_closed_form_on_a_parabola() -> None:
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
def test_lookahead_around_adam_equals_a_plain_loop(sync_period: int, slow_step_size: float) -> None:
    path = walk(Lookahead(keras.optimizers.Adam(0.05), sync_period, slow_step_size))
    np.testing.assert_allclose(path, numpy_adam(GRADIENTS, sync_period, slow_step_size, lambda t: 0.05), atol=1e-5)


INNER: dict[str, Callable[[], keras.optimizers.Optimizer]] = {
    "sgd": lambda: keras.optimizers.SGD(0.05, momentum=0.9),
    "adam": lambda: keras.optimizers.Adam(0.05),
    "rmsprop": lambda: keras.optimizers.RMSprop(0.05),
    "radam": lambda: RectifiedAdam(0.05, weight_decay=0.1),
}


@pytest.mark.parametrize("inner", INNER.values(), ids=INNER.keys())
def test_with_period_and_step_size_one_it_equals_the_inner_optimizer(inner: Callable) -> None:
    np.testing.assert_array_equal(walk(Lookahead(inner(), 1, 1.0)), walk(inner()))


def test_lookahead_can_wrap_lookahead() -> None:
    outer = Lookahead(Lookahead(keras.optimizers.SGD(0.1), 2, 0.5), 4, 0.5)
    # On gradients of 1, two steps of .1 and half of the way back, twice; then half of all of that:
    # -.1, -.2 → -.1, -.2, -.3 → -.2 → -.1
    path = walk(outer, np.ones((4, 3), "float32"))[:, 0] - START[0]
    np.testing.assert_allclose(path, [-0.1, -0.1, -0.2, -0.1], rtol=1e-5)


def test_slow_weights_start_as_the_weights_of_the_first_step() -> None:
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


def test_weights_that_are_set_after_a_training_that_diverged_count() -> None:
    optimizer, variable = Lookahead(keras.optimizers.SGD(1.0), 2), keras.Variable([4.0])
    for _ in range(2):
        optimizer.apply([ops.convert_to_tensor([float("nan")])], [variable])
    optimizer.finalize_variable_values([variable])
    assert np.isnan(numpy_of(variable)).all()
    variable.assign([4.0])
    optimizer.apply([ops.convert_to_tensor([1.0])], [variable])
    np.testing.assert_array_equal(numpy_of(variable), 3.0)


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


@pytest.mark.parametrize(
    ("options", "calls", "warns"),
    [
        ({}, (5, 3), False),  # updates 1 to 5, then 6 to 8: both have a multiple of 4
        ({}, (5, 2), True),
        ({}, (3,), True),
        ({"gradient_accumulation_steps": 3}, (12, 9), True),  # updates 1 to 4, then 5 to 7
        ({"gradient_accumulation_steps": 3}, (12, 12), False),
        ({"gradient_accumulation_steps": 3}, (12, 2), False),  # no update
        ({"gradient_accumulation_steps": 3}, (11, 4), False),  # updates 1 to 3, then 4, with 2 old gradients, and 5
        ({"gradient_accumulation_steps": 3}, (2, 1), True),  # update 1, with 2 old gradients
        ({"use_ema": True}, (3,), False),  # the average follows every step
    ],
)
def test_a_training_without_a_synchronization_warns(options: dict, calls: tuple[int, ...], warns: bool) -> None:
    optimizer, variable = Lookahead(keras.optimizers.SGD(1.0, **options), 4), keras.Variable([0.0])
    accumulated = options.get("gradient_accumulation_steps", 1)
    updates = sum(calls) // accumulated - sum(calls[:-1]) // accumulated
    for steps in calls:
        for _ in range(steps):
            optimizer.apply([ops.convert_to_tensor([1.0])], [variable])
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            optimizer.finalize_variable_values([variable])
    ours = [text for one in caught if (text := str(one.message)).startswith("Lookahead")]  # NumPy 2 has its own
    expected = f"Lookahead: the training ended after {updates} steps without a synchronization (sync_period=4)"
    assert [text.partition(",")[0] for text in ours] == [expected] * warns


@pytest.mark.parametrize(
    ("periods", "steps", "expected", "warns"),
    [
        ((2, 4), 12, -1.0, False),  # 4 updates: -1, -2 → -1, -2, -3 → -2 → -1
        ((2, 4), 8, 0.0, True),  # 2 updates: only the inner one has synchronized
        ((100, 4), 12, -2.0, False),  # 4 updates: -1, -2, -3, -4 → -2. Only the outer one has synchronized
    ],
)
def test_lookahead_around_lookahead_ends_with_the_outer_slow_weights(
    periods: tuple[int, int], steps: int, expected: float, warns: bool
) -> None:
    inner, outer = periods
    sgd = keras.optimizers.SGD(1.0, gradient_accumulation_steps=3)
    optimizer, variable = Lookahead(Lookahead(sgd, inner), outer), keras.Variable([0.0])
    for _ in range(steps):
        optimizer.apply([ops.convert_to_tensor([1.0])], [variable])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        optimizer.finalize_variable_values([variable])
    ours = [text for one in caught if (text := str(one.message)).startswith("Lookahead")]
    assert [text.partition(",")[0] for text in ours] == [
        "Lookahead: the training ended after 2 steps without a synchronization (sync_period=4)"
    ] * warns
    np.testing.assert_array_equal(numpy_of(variable), expected)


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


def test_variables_without_a_gradient_do_not_change() -> None:
    optimizer, moved, still = Lookahead(keras.optimizers.SGD(1.0), 2), keras.Variable([1.0]), keras.Variable([2.0])
    optimizer.build([moved, still])
    gradient = ops.convert_to_tensor([1.0])
    with pytest.warns(UserWarning, match="Gradients do not exist"):
        for _ in range(2):
            optimizer.apply([gradient, None], [moved, still])
    optimizer.apply([gradient, gradient], [moved, still])
    # 1, 0, -1 and half of the way back, 0, then -1; the other begins with the third step.
    np.testing.assert_array_equal([numpy_of(moved)[0], numpy_of(still)[0]], [-1.0, 1.0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sync_period": 0}, "sync_period must be a whole number of 1 or more, not 0"),
        ({"sync_period": 2.5}, "sync_period must be a whole number of 1 or more, not 2.5"),
        ({"slow_step_size": 0.0}, r"slow_step_size must be in \(0, 1\], not 0.0"),
        ({"slow_step_size": 1.5}, r"slow_step_size must be in \(0, 1\], not 1.5"),
    ],
)
def test_a_wrong_argument_is_named(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Lookahead(keras.optimizers.SGD(), **arguments)


def test_steps_before_build_are_refused() -> None:
    with pytest.raises(ValueError, match="needs build"):
        Lookahead(keras.optimizers.SGD()).apply([ops.zeros(1)])
