"""The difference of two fractions on the same images, against published examples and McNemar's test."""

import numpy as np
import pytest

from efficientmixnet.components.evaluator.paired_difference import (
    SIGNIFICANT,
    differences_by_class,
    mcnemar_p_value,
    newcombe,
    paired_difference,
)


@pytest.mark.parametrize(
    ("counts", "value", "low", "high"),
    [
        ((20, 12, 2, 16), 0.2, 0.0562, 0.3292),  # Newcombe (1998), method 10
        (
            (1, 1, 7, 12),
            -0.286,
            -0.507,
            -0.026,
        ),  # Fagerland, Lydersen and Laake (2014)
        ((8, 3, 1, 2), 2 / 14, -0.1574, 0.4136),  # Tang, Li and Tang (2010)
    ],
)
def test_the_interval_is_newcombes(counts: tuple[int, int, int, int], value: float, low: float, high: float) -> None:
    found = newcombe(*counts)
    digits = 5e-4 if counts[0] == 1 else 5e-5
    assert (found.value, found.low, found.high) == tuple(pytest.approx(one, abs=digits) for one in (value, low, high))


def test_of_two_perfect_models_none_may_be_better_by_more_than_wilsons_interval() -> None:
    """Wilson's lower end for n of n is n / (n + 1.96^2)."""
    right = np.ones(344, bool)
    found = paired_difference(right, right)
    assert (found.value, found.p_value) == (0, 1)
    assert -found.low == found.high == pytest.approx(3.8415 / (344 + 3.8415), abs=1e-6)


@pytest.mark.parametrize(("wrong", "p_value"), [(4, 0.125), (5, 0.0625), (6, 0.03125)])
def test_few_mistakes_of_one_model_may_be_due_to_chance(wrong: int, p_value: float) -> None:
    """The other model makes none of 344, so the p-value is 2 / 2^wrong."""
    right = np.ones(344, bool)
    found = paired_difference(right, np.arange(344) >= wrong)
    assert found.value == pytest.approx(wrong / 344)
    assert found.p_value == pytest.approx(p_value)
    assert (found.low > 0) == (wrong > 4)


def test_a_difference_that_is_significant_has_an_interval_without_0() -> None:
    for first in range(6, 30):
        for second in range(first):
            if mcnemar_p_value(first, second) < SIGNIFICANT:
                for both, neither in ((0, 0), (30, 0), (0, 30), (20, 10), (300, 5)):
                    assert newcombe(both, first, second, neither).low > 0, (both, first, second, neither)


def test_each_class_with_images_has_its_difference() -> None:
    labels = np.array([0, 0, 0, 0, 2, 2, -1])
    first, second = np.array([1, 1, 1, 0, 1, 1, 1], bool), np.array([1, 0, 0, 1, 0, 0, 0], bool)
    found = differences_by_class(first, second, labels, 3)
    assert found == [newcombe(1, 2, 1, 0), newcombe(0, 2, 0, 0)]
