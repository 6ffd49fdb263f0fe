"""paired_difference: the difference of two models' fractions on the same images, with its interval and McNemar's test.

The images are counted by which of the two models is right: both, only the first, only the second, or neither.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import sqrt

import numpy as np

from efficientmixnet.components.evaluator.fraction import Interval, fraction

SIGNIFICANT = 0.05  # a difference with a smaller p-value is unlikely to be due to chance


@dataclass(frozen=True)
class Difference(Interval):
    """The difference of two models' values, with its 95 % confidence interval.

    Args:
        p_value: That of McNemar's test, for fractions of images; None for other measures.
    """

    p_value: float | None = None


def paired_difference(first: np.ndarray, second: np.ndarray) -> Difference:
    """Returns the difference of two fractions. The arguments say whether each model is right, bool [images]."""
    (counts,) = _counts(first, second, np.zeros(len(first), int), 1)
    _, only_first, only_second, _ = counts
    return replace(newcombe(*counts), p_value=mcnemar_p_value(only_first, only_second))


def differences_by_class(first: np.ndarray, second: np.ndarray, labels: np.ndarray, classes: int) -> list[Difference]:
    """Returns the difference of the recall of each class that has images."""
    return [newcombe(*counts) for counts in _counts(first, second, labels, classes) if any(counts)]


def newcombe(both: int, first: int, second: int, neither: int) -> Difference:
    """Returns the difference of paired fractions with the interval of Newcombe (1998), method 10.

    It combines the Wilson intervals of both fractions. So it also holds where a model is right about every image.
    """
    images = both + first + second + neither
    ours, theirs = fraction(both + first, images), fraction(both + second, images)
    phi = _phi(both, first, second, neither)
    below = _margin(ours.value - ours.low, theirs.high - theirs.value, phi)
    above = _margin(ours.high - ours.value, theirs.value - theirs.low, phi)
    value = (first - second) / images
    return Difference(value, value - below, value + above)


def mcnemar_p_value(only_first: int, only_second: int) -> float:
    """Returns McNemar's (1947) exact p-value: how likely equally good models differ at least as much."""
    from scipy.stats import binomtest  # takes half a second to import

    different = only_first + only_second
    return float(binomtest(only_first, different).pvalue) if different else 1.0


def _margin(ours: float, theirs: float, phi: float) -> float:
    return sqrt(max(ours**2 - 2 * phi * ours * theirs + theirs**2, 0.0))


def _phi(both: int, first: int, second: int, neither: int) -> float:
    """Returns the correlation of the two models' answers, with a continuity correction."""
    product = (both + first) * (second + neither) * (both + second) * (first + neither)
    excess = float(both * neither - first * second)
    if excess > 0:
        excess = max(excess - (both + first + second + neither) / 2, 0.0)
    return excess / sqrt(product) if product else 0.0


def _counts(first: np.ndarray, second: np.ndarray, labels: np.ndarray, classes: int) -> Iterator[list[int]]:
    """Yields for each class how many images both are right about, only the first, only the second, and neither."""
    kinds = (first & second, first & ~second, second & ~first, ~first & ~second)
    known = labels >= 0
    by_kind = [np.bincount(labels[kind & known], minlength=classes).tolist() for kind in kinds]
    yield from map(list, zip(*by_kind, strict=True))
