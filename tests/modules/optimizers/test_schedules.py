"""Schedules against values worked out by hand and against float64 over ten million steps."""

from typing import Any

import keras
import numpy as np
import pytest

from efficientmixnet.modules.optimizers.schedules import SCHEDULES, Cosine, Exponential, WarmUp, build_schedule


def rates(schedule: Any, steps: Any) -> np.ndarray:
    return np.array([float(keras.ops.convert_to_numpy(schedule(step))) for step in steps])


def test_a_constant_schedule_does_not_change() -> None:
    schedule = build_schedule("constant", 0.1, steps_per_epoch=10, epochs=5)
    np.testing.assert_allclose(rates(schedule, [0, 7, 49, 1000]), 0.1, rtol=1e-6)


def test_warm_up_is_linear_and_ends_at_the_learning_rate() -> None:
    schedule = build_schedule("constant", 0.1, steps_per_epoch=10, epochs=5, warmup_epochs=2)
    np.testing.assert_allclose(rates(schedule, [0, 1, 10, 19, 20, 21]), [0, 0.005, 0.05, 0.095, 0.1, 0.1], rtol=1e-6)


def test_cosine_decays_from_the_end_of_the_warm_up() -> None:
    schedule = build_schedule("cosine", 0.4, steps_per_epoch=10, epochs=14, warmup_epochs=2, final_fraction=0.1)
    # 120 steps after 20 of warm-up, from .4 to .04: at a third (1 + cos 60°) / 2 = .75, at half .5, at two thirds .25
    expected = [0.4, 0.04 + 0.36 * 0.75, 0.04 + 0.36 * 0.5, 0.04 + 0.36 * 0.25, 0.04, 0.04]
    np.testing.assert_allclose(rates(schedule, [20, 60, 80, 100, 140, 10**6]), expected, rtol=1e-6)


def test_flat_cosine_is_constant_and_then_decays() -> None:
    schedule = build_schedule("flat-cosine", 0.4, steps_per_epoch=10, epochs=10, flat_fraction=0.7)
    np.testing.assert_allclose(rates(schedule, [0, 69, 70, 85, 100]), [0.4, 0.4, 0.4, 0.2, 0], rtol=1e-6, atol=1e-9)


def test_the_flat_fraction_includes_the_warm_up() -> None:
    schedule = build_schedule("flat-cosine", 0.4, steps_per_epoch=10, epochs=10, flat_fraction=0.7, warmup_epochs=1)
    np.testing.assert_allclose(rates(schedule, [5, 10, 70, 85, 100]), [0.2, 0.4, 0.4, 0.2, 0], rtol=1e-6, atol=1e-9)


def test_exponential_decay_equals_efficientnets() -> None:
    # .97 per 2.4 epochs of 5 steps, that is per 12 steps
    schedule = build_schedule("exponential", 0.016, steps_per_epoch=5, epochs=350)
    expected = 0.016 * np.array([1, 0.97**0.5, 0.97, 0.97**10])
    np.testing.assert_allclose(rates(schedule, [0, 6, 12, 120]), expected, rtol=1e-6)


def test_step_decay_falls_in_steps() -> None:
    schedule = build_schedule("step", 0.1, steps_per_epoch=10, epochs=90, decay_rate=0.1, decay_epochs=30)
    np.testing.assert_allclose(rates(schedule, [0, 299, 300, 599, 600]), [0.1, 0.1, 0.01, 0.01, 0.001], rtol=1e-6)


def test_a_staircase_of_uneven_length_falls_at_the_right_steps() -> None:
    # 2.4 epochs of 391 steps are 938.4 steps: the fifth stair begins at 4692 exactly, the first at the step after 938.
    schedule = build_schedule("exponential", 1.0, steps_per_epoch=391, epochs=350, staircase=True)
    np.testing.assert_allclose(rates(schedule, [938, 939, 4691, 4692]), [1, 0.97, 0.97**4, 0.97**5], rtol=1e-6)


def test_exponential_decay_has_a_lower_bound() -> None:
    schedule = build_schedule(
        "step", 1.0, steps_per_epoch=1, epochs=9, decay_rate=0.1, decay_epochs=1, final_fraction=0.05
    )
    np.testing.assert_allclose(rates(schedule, [0, 1, 2, 8]), [1, 0.1, 0.05, 0.05], rtol=1e-6)


STEPS = [0, 1, 999, 10**6 - 1, 10**6, 3_333_333, 9_990_000, 9_999_000, 9_999_999, 10**7]


def test_cosine_is_precise_up_to_ten_million_steps() -> None:
    exact = np.sin(np.pi / 2 * (10**7 - np.array(STEPS, "float64")) / 10**7) ** 2
    np.testing.assert_allclose(rates(Cosine(1.0, 10**7), STEPS), exact, rtol=1e-6)


def test_exponential_is_precise_up_to_ten_million_steps() -> None:
    exact = 0.97 ** (np.array(STEPS, "float64") / 30_029.25)
    np.testing.assert_allclose(rates(Exponential(1.0, 30_029.25, 0.97), STEPS), exact, rtol=2e-6)


def test_stairs_and_warm_up_are_exact_at_ten_million_steps() -> None:
    steps = np.array([9_999_999, 10_000_000])
    stairs = Exponential(1.0, 100, 0.9999, staircase=True)
    np.testing.assert_allclose(rates(stairs, steps), 0.9999 ** (steps // 100), rtol=2e-6)
    warm_up = WarmUp(Cosine(1.0, 100), 10_000_000)
    np.testing.assert_allclose(rates(warm_up, [9_999_999, 10_000_050]), [0.9999999, 0.5], rtol=1e-7)


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_works_in_an_optimizer_and_survives_a_round_trip(name: str) -> None:
    schedule = build_schedule(name, 0.1, steps_per_epoch=4, epochs=5, warmup_epochs=1, decay_epochs=1, decay_rate=0.5)
    optimizer = keras.optimizers.deserialize(keras.optimizers.serialize(keras.optimizers.SGD(schedule)))
    variable = keras.Variable([0.0])
    traveled = [0.0]
    for _ in range(20):
        optimizer.apply([keras.ops.ones(1)], [variable])
        traveled.append(-float(keras.ops.convert_to_numpy(variable.value)[0]))
    np.testing.assert_allclose(np.diff(traveled), rates(schedule, range(20)), atol=1e-6)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"name": "linear"}, "no schedule 'linear'. Allowed: constant, cosine, exponential, flat-cosine, step."),
        ({"name": "cosine", "warmup_epochs": 5}, "schedule.warmup_epochs: must be less than the 5 epochs of training."),
    ],
)
def test_a_wrong_schedule_is_named(settings: dict, message: str) -> None:
    with pytest.raises(ValueError) as raised:
        build_schedule(**settings, learning_rate=0.1, steps_per_epoch=10, epochs=5)
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("decay_epochs", "steps_per_epoch", "expected"),
    [
        (0.001, 1, [1, 0, 0]),  # a stair of .001 steps is one of .01: .5^100 is 0 here
        (1e6, 5_000, [1, 1, 1]),  # 5e9 steps do not fit into int32
        (1e5 + 1 / 3, 999, [1, 1, 1]),  # nor do 99,900,333 steps in hundredths
    ],
)
def test_the_shortest_and_the_longest_stairs_are_possible(
    decay_epochs: float, steps_per_epoch: int, expected: list[float]
) -> None:
    options = {"decay_rate": 0.5, "decay_epochs": decay_epochs, "steps_per_epoch": steps_per_epoch}
    schedule = build_schedule("step", 1.0, epochs=9, **options)
    np.testing.assert_allclose(rates(schedule, [0, 1, 10**7]), expected, atol=1e-9)


@pytest.mark.parametrize("name", SCHEDULES)
def test_more_steps_than_a_training_can_have_are_possible(name: str) -> None:
    """A million epochs, until patience ends them, of 20,000 steps do not fit into int32."""
    schedule = build_schedule(name, 1.0, steps_per_epoch=20_000, epochs=10**6, warmup_epochs=1, decay_epochs=10**6)
    np.testing.assert_allclose(rates(schedule, [10_000, 20_000, 30_000]), [0.5, 1, 1], rtol=1e-4)
