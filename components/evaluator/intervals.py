"""Confidence intervals at 95 %: of fractions, of every measure, and of areas under ROC curves."""

from dataclasses import dataclass

import numpy as np

from efficientmixnet.components.evaluator.measures import MEASURES, Outcomes

_REPLICATES = 1000
_MOST_DRAWS = 50_000_000  # images in all replicates together, which take seconds


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


def with_intervals(outcomes: Outcomes, baseline: Outcomes | None = None) -> dict[str, tuple[Interval, Interval | None]]:
    """Returns every measure with its bootstrap interval (percentiles).

    Args:
        outcomes: The candidate's outcomes.
        baseline: The baseline model's outcomes on the same images.

    Returns:
        By name of the measure, its value and its difference from the baseline's; None without a baseline.
    """
    random = np.random.default_rng(0)
    replicates = int(np.clip(_MOST_DRAWS // len(outcomes), 100, _REPLICATES))
    drawn: dict[str, list[tuple[float, float]]] = {name: [] for name in MEASURES}
    for _ in range(replicates):
        chosen = random.integers(0, len(outcomes), len(outcomes))
        ours, theirs = outcomes[chosen], baseline[chosen] if baseline else None
        for name, measure in MEASURES.items():
            value = measure(ours)
            drawn[name].append((value, value - measure(theirs) if theirs else 0.0))
    found: dict[str, tuple[Interval, Interval | None]] = {}
    for name, measure in MEASURES.items():
        value = measure(outcomes)
        low, high = np.percentile(drawn[name], [2.5, 97.5], axis=0)
        difference = Interval(value - measure(baseline), low[1], high[1]) if baseline else None
        found[name] = Interval(value, low[0], high[0]), difference
    return found


def auc(labels: np.ndarray, probabilities: np.ndarray) -> tuple[np.ndarray, Interval]:
    """Returns the area under the ROC curve of each class against the others, and the mean area.

    Args:
        labels: int [images], the true classes.
        probabilities: float [images, classes].

    Returns:
        The areas, float [classes], nan for a class that no image or every image has; and their mean with DeLong's
        (1988) interval.
    """
    classes, count = probabilities.shape[1], len(labels)
    areas = np.full(classes, np.nan)
    influence = np.zeros(count)  # of each image on the sum of the areas
    for one in range(classes):
        positive = labels == one
        if not 0 < positive.sum() < count:
            continue
        placed = _placements(probabilities[:, one], positive)
        areas[one] = placed[positive].mean()
        fractions = np.where(positive, positive.mean(), 1 - positive.mean())
        influence += (placed - areas[one]) / fractions
    counted = np.isfinite(areas).sum()
    if not counted:
        return areas, Interval(np.nan, np.nan, np.nan)
    mean = float(np.nanmean(areas))
    margin = 1.96 * float(np.sqrt((influence**2).sum())) / count / counted
    return areas, Interval(mean, mean - margin, min(mean + margin, 1.0))


def _placements(scores: np.ndarray, positive: np.ndarray) -> np.ndarray:
    """Returns, for each image, the fraction of the other class's images that it is ordered correctly with.

    Ties count half.
    """
    placed = np.empty(len(scores))
    below, above = np.sort(scores[~positive]), np.sort(scores[positive])
    ours = scores[positive]
    placed[positive] = (np.searchsorted(below, ours, "left") + np.searchsorted(below, ours, "right")) / 2 / len(below)
    theirs = scores[~positive]
    passed = (np.searchsorted(above, theirs, "left") + np.searchsorted(above, theirs, "right")) / 2
    placed[~positive] = 1 - passed / len(above)
    return placed
