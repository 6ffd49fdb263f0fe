"""The interval of a fraction, against published examples."""

import pytest

from efficientmixnet.components.evaluator.fraction import fraction


@pytest.mark.parametrize(
    ("correct", "images", "low", "high"), [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (81, 263, 0.2553, 0.3662)]
)
def test_the_interval_of_a_fraction_is_wilsons(correct: int, images: int, low: float, high: float) -> None:
    """The last row is Newcombe's (1998) example."""
    found = fraction(correct, images)
    assert (found.low, found.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))
