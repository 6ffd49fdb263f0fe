"""Confidence intervals at 95 % of every measure, of its difference from a baseline's, and of areas under ROC curves."""

from collections.abc import Sequence

import numpy as np

from efficientmixnet.components.evaluator.fraction import Interval, fraction
from efficientmixnet.components.evaluator.measures import MEASURES, ByClass, Outcomes
from efficientmixnet.components.evaluator.paired_difference import Difference, differences_by_class, paired_difference

_REPLICATES = 1000
_MOST_DRAWS = 50_000_000  # images in all replicates together, which take seconds


def balanced(by_class: ByClass) -> Interval:
    """Returns balanced accuracy with an interval from the Wilson interval of the recall of each class with images."""
    counts = zip(by_class.correct.tolist(), by_class.images.tolist(), strict=True)
    below, above = _margins_of_mean([fraction(correct, images) for correct, images in counts if images])
    value = by_class.balanced_accuracy
    return Interval(value, max(value - below, 0.0), min(value + above, 1.0))


def _margins_of_mean(parts: Sequence[Interval]) -> tuple[float, float]:
    """Returns how far the interval of the mean of independent values reaches (MOVER; Zou and Donner, 2008)."""
    below = np.sqrt(sum((one.value - one.low) ** 2 for one in parts)) / len(parts)
    above = np.sqrt(sum((one.high - one.value) ** 2 for one in parts)) / len(parts)
    return float(below), float(above)


def with_intervals(
    outcomes: Outcomes, baseline: Outcomes | None = None
) -> dict[str, tuple[Interval, Difference | None]]:
    """Returns every measure with its interval.

    Accuracies have Wilson intervals, and their differences Newcombe's. Both are also right if every image or none is
    classified correctly. The other measures have bootstrap intervals (percentiles). Where the bootstrap samples of
    macro F1 do not vary, as without mistakes, it has the margins of balanced accuracy. Its difference has at least
    them, because few mistakes vary too little in bootstrap samples.

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
    values: dict[str, Interval] = {}
    differences: dict[str, Difference] = {}
    for name, measure in MEASURES.items():
        value = measure(outcomes)
        low, high = np.percentile(drawn[name], [2.5, 97.5], axis=0)
        values[name] = Interval(value, low[0], high[0])
        if baseline:
            differences[name] = Difference(value - measure(baseline), low[1], high[1])
    values |= _of_fractions(outcomes, values["macro_f1"])
    if baseline:
        differences |= _of_paired_fractions(outcomes, baseline, differences)
    return {name: (value, differences.get(name)) for name, value in values.items()}


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


def _of_paired_fractions(ours: Outcomes, theirs: Outcomes, bootstrap: dict[str, Difference]) -> dict[str, Difference]:
    """Returns the differences whose intervals do not come from the bootstrap alone, by name of the measure."""
    below, above = _margins_of_mean(differences_by_class(ours.correct, theirs.correct, ours.labels, ours.classes))
    balanced_accuracy, macro_f1 = bootstrap["balanced_accuracy"].value, bootstrap["macro_f1"]
    return {
        "accuracy": paired_difference(ours.correct, theirs.correct),
        "top_3": paired_difference(ours.label_rank < 3, theirs.label_rank < 3),
        "balanced_accuracy": Difference(balanced_accuracy, balanced_accuracy - below, balanced_accuracy + above),
        "macro_f1": Difference(
            macro_f1.value, min(macro_f1.low, macro_f1.value - below), max(macro_f1.high, macro_f1.value + above)
        ),
    }


def auc(labels: np.ndarray, probabilities: np.ndarray) -> tuple[np.ndarray, Interval]:
    """Returns the area under the ROC curve of each class against the others, and the mean area.

    Args:
        labels: int [images], the true classes.
        probabilities: float [images, classes].

    Returns:
        The areas, float [classes], nan for a class that no image or every image has; and their mean with DeLong's
        (1988) interval. Where all areas are 0 or 1, this would have no width: its ends are the means of those of
        Newcombe (2006).
    """
    classes, count = probabilities.shape[1], len(labels)
    areas, extremes = np.full(classes, np.nan), []
    influence = np.zeros(count)  # of each image on the sum of the areas
    for one in range(classes):
        positive = labels == one
        if not 0 < positive.sum() < count:
            continue
        placed = _placements(probabilities[:, one], positive)
        areas[one] = placed[positive].mean()
        fractions = np.where(positive, positive.mean(), 1 - positive.mean())
        influence += (placed - areas[one]) / fractions
        if areas[one] in (0, 1):
            extremes.append(_ends_of_extreme(int(areas[one]), int(positive.sum()), int(count - positive.sum())))
    counted = np.isfinite(areas).sum()
    if not counted:
        return areas, Interval(np.nan, np.nan, np.nan)
    mean = float(np.nanmean(areas))
    if len(extremes) == counted:
        low, high = np.mean(extremes, axis=0).tolist()
        return areas, Interval(mean, low, high)
    margin = 1.96 * float(np.sqrt((influence**2).sum())) / count / counted
    return areas, Interval(mean, max(mean - margin, 0.0), min(mean + margin, 1.0))


def _ends_of_extreme(area: int, positive: int, negative: int) -> tuple[float, float]:
    """Returns the interval of an area of 1 (Newcombe, 2006, method 5), or its mirror image for one of 0."""
    from scipy.optimize import brentq

    size = (positive + negative) / 2 - 1

    def excess(true: float) -> float:
        spread = 1 + size * ((1 - true) / (2 - true) + true / (1 + true))
        return (1 - true) * positive * negative - 1.96**2 * true * spread

    low = float(brentq(excess, 0.0, 1.0))
    return (low, 1.0) if area else (0.0, 1.0 - low)


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
