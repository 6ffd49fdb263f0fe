"""Confidence intervals at 95 %: of fractions, of every measure, and of areas under ROC curves."""

from dataclasses import dataclass

import numpy as np

from efficientmixnet.components.evaluator.measures import MEASURES, ByClass, Outcomes

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


def balanced(by_class: ByClass) -> Interval:
    """Returns balanced accuracy with the interval of a mean of fractions (MOVER; Zou and Donner, 2008).

    It is computed from the Wilson interval of the recall of each class that has images.
    """
    counts = zip(by_class.correct.tolist(), by_class.images.tolist(), strict=True)
    recalls = [fraction(correct, images) for correct, images in counts if images]
    below = np.sqrt(sum((one.value - one.low) ** 2 for one in recalls)) / len(recalls)
    above = np.sqrt(sum((one.high - one.value) ** 2 for one in recalls)) / len(recalls)
    value = by_class.balanced_accuracy
    return Interval(value, max(value - below, 0.0), min(value + above, 1.0))


def with_intervals(outcomes: Outcomes, baseline: Outcomes | None = None) -> dict[str, tuple[Interval, Interval | None]]:
    """Returns every measure with its interval.

    Accuracies have Wilson intervals, which are also right if every image or none is classified correctly. The other
    measures and all differences have bootstrap intervals (percentiles). Where the bootstrap samples of macro F1 do not
    vary, as without mistakes, it has the margins of balanced accuracy.

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
    for name, interval in _of_fractions(outcomes, found["macro_f1"][0]).items():
        found[name] = interval, found[name][1]
    return found


def _of_fractions(outcomes: Outcomes, macro_f1: Interval) -> dict[str, Interval]:
    """Returns the intervals that do not come from the bootstrap, by name of the measure."""
    exact = {
        "accuracy": fraction(int(outcomes.correct.sum()), len(outcomes)),
        "top_3": fraction(int((outcomes.label_rank < 3).sum()), len(outcomes)),
        "balanced_accuracy": balanced(outcomes.by_class),
    }
    if macro_f1.low == macro_f1.high:
        recall = exact["balanced_accuracy"]
        low, high = macro_f1.value - recall.value + recall.low, macro_f1.value - recall.value + recall.high
        exact["macro_f1"] = Interval(macro_f1.value, max(low, 0.0), min(high, 1.0))
    return exact


def auc(labels: np.ndarray, probabilities: np.ndarray) -> tuple[np.ndarray, Interval]:
    """Returns the area under the ROC curve of each class against the others, and the mean area.

    Args:
        labels: int [images], the true classes.
        probabilities: float [images, classes].

    Returns:
        The areas, float [classes], nan for a class that no image or every image has; and their mean with DeLong's
        (1988) interval. Where all areas are 1, this would have no width: its lower end is the mean of those of
        Newcombe (2006).
    """
    classes, count = probabilities.shape[1], len(labels)
    areas, lowest = np.full(classes, np.nan), []
    influence = np.zeros(count)  # of each image on the sum of the areas
    for one in range(classes):
        positive = labels == one
        if not 0 < positive.sum() < count:
            continue
        placed = _placements(probabilities[:, one], positive)
        areas[one] = placed[positive].mean()
        fractions = np.where(positive, positive.mean(), 1 - positive.mean())
        influence += (placed - areas[one]) / fractions
        if areas[one] == 1:
            lowest.append(_low_of_perfect_area(int(positive.sum()), int(count - positive.sum())))
    counted = np.isfinite(areas).sum()
    if not counted:
        return areas, Interval(np.nan, np.nan, np.nan)
    mean = float(np.nanmean(areas))
    if len(lowest) == counted:
        return areas, Interval(mean, float(np.mean(lowest)), 1.0)
    margin = 1.96 * float(np.sqrt((influence**2).sum())) / count / counted
    return areas, Interval(mean, mean - margin, min(mean + margin, 1.0))


def _low_of_perfect_area(positive: int, negative: int) -> float:
    """Returns the lower end of the interval of an area of 1 (Newcombe, 2006, method 5)."""
    from scipy.optimize import brentq

    size = (positive + negative) / 2 - 1

    def excess(area: float) -> float:
        spread = 1 + size * ((1 - area) / (2 - area) + area / (1 + area))
        return (1 - area) * positive * negative - 1.96**2 * area * spread

    return float(brentq(excess, 0.0, 1.0))


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
