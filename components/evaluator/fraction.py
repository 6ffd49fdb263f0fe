"""fraction: a fraction of images with its confidence interval at 95 %."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Interval:
    """A value and its 95 % confidence interval."""

    value: float
    low: float
    high: float


def fraction(part: int, whole: int) -> Interval:
    """Returns part / whole with Wilson's (1927) interval, which also holds for few images and near 0 and 1."""
    from scipy.stats import binomtest  # takes half a second to import

    if not whole:
        return Interval(np.nan, 0.0, 1.0)
    low, high = binomtest(part, whole).proportion_ci(method="wilson")
    return Interval(part / whole, float(low), float(high))
