"""How good a classifier's answers are: from what it said of each image to accuracy, F1, calibration and the rest.

numpy alone; tests hold every measure against scikit-learn's.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np

BINS = 15  # of confidence, in calibration
_REPLICATES = 1000
_MOST_DRAWS = 50_000_000  # images drawn for all replicates together: seconds
_LEAST_PROBABILITY = float(np.finfo(np.float32).eps)  # so that one sure mistake does not make a mean infinite


@dataclass(frozen=True)
class Outcomes:
    """What was said of each image, all [images]."""

    classes: int
    labels: np.ndarray  # int, the right class; -1 for one that training never saw
    named: np.ndarray  # int, the likeliest class
    confidence: np.ndarray  # float, that class's probability
    label_probability: np.ndarray  # float, the right class's probability
    label_rank: np.ndarray  # int, how many classes were likelier than the right one

    @classmethod
    def of(cls, labels: np.ndarray, probabilities: np.ndarray) -> "Outcomes":
        """labels [images], probabilities [images, classes]"""
        rows = np.arange(len(labels))
        known = labels >= 0
        label_probability = np.where(known, probabilities[rows, np.maximum(labels, 0)], 0.0)
        named = probabilities.argmax(axis=1)
        rank = (probabilities > label_probability[:, None]).sum(axis=1)
        # Of two equally likely classes argmax names the first one, and a label beside it is no hit.
        rank = np.where(named == labels, 0, np.maximum(rank, 1))
        return cls(
            probabilities.shape[1], labels, named, probabilities[rows, named], label_probability.astype(float), rank
        )

    @classmethod
    def together(cls, parts: "list[Outcomes]") -> "Outcomes":
        """The parts, one after another."""
        arrays = [field.name for field in fields(cls) if field.name != "classes"]
        return cls(parts[0].classes, *(np.concatenate([getattr(part, name) for part in parts]) for name in arrays))

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, chosen: np.ndarray) -> "Outcomes":
        """Those of the chosen images, by position or by truth value."""
        arrays = [field.name for field in fields(self) if field.name != "classes"]
        return Outcomes(self.classes, *(getattr(self, name)[chosen] for name in arrays))

    @cached_property
    def right(self) -> np.ndarray:
        """Whether the right class was named, bool [images]."""
        return self.named == self.labels

    @cached_property
    def confusion(self) -> np.ndarray:
        """Images by right class and by named class, int [classes, classes]."""
        known = self.labels >= 0
        cells = self.labels[known] * self.classes + self.named[known]
        return np.bincount(cells, minlength=self.classes**2).reshape(self.classes, self.classes)

    @cached_property
    def by_class(self) -> "ByClass":
        """Counts, precision, recall and F1 of each class."""

        def count(classes: np.ndarray) -> np.ndarray:
            return np.bincount(classes[classes >= 0], minlength=self.classes)

        return ByClass(count(self.labels), count(self.named), count(self.labels[self.right]))


@dataclass(frozen=True)
class ByClass:
    """Each class by itself, all [classes]; a share of nothing is 0, and counts for no mean of what has no images."""

    images: np.ndarray  # of the class
    named: np.ndarray  # as the class
    right: np.ndarray

    @property
    def precision(self) -> np.ndarray:
        return _share(self.right, self.named)

    @property
    def recall(self) -> np.ndarray:
        return _share(self.right, self.images)

    @property
    def f1(self) -> np.ndarray:
        return _share(2 * self.right, self.images + self.named)

    @property
    def balanced_accuracy(self) -> float:
        """The mean of the recalls of the classes that occur."""
        return float(self.recall[self.images > 0].mean())

    @property
    def macro_f1(self) -> float:
        """The mean F1 of the classes that occur or are named."""
        return float(self.f1[self.images + self.named > 0].mean())


def accuracy(outcomes: Outcomes) -> float:
    return float(outcomes.right.mean())


def top_3(outcomes: Outcomes) -> float:
    """The share of images whose right class is among the three likeliest."""
    return float((outcomes.label_rank < 3).mean())


def log_loss(outcomes: Outcomes) -> float:
    """Mean cross-entropy, nats."""
    return float(-np.log(np.clip(outcomes.label_probability, _LEAST_PROBABILITY, 1.0)).mean())


def reliability(outcomes: Outcomes) -> "Reliability":
    """By confidence, in bins of equal width."""
    bins = bin_of(outcomes.confidence)
    return Reliability(*(np.bincount(bins, of, BINS) for of in (None, outcomes.confidence, outcomes.right)))


def bin_of(confidence: np.ndarray) -> np.ndarray:
    """The number of its bin: 0 for up to 1 / BINS, and so on."""
    return np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)


@dataclass(frozen=True)
class Reliability:
    """Sums by bin of confidence, each [BINS]."""

    images: np.ndarray
    confidences: np.ndarray
    right: np.ndarray

    @property
    def confidence(self) -> np.ndarray:
        return _share(self.confidences, self.images)

    @property
    def accuracy(self) -> np.ndarray:
        return _share(self.right, self.images)

    @property
    def calibration_error(self) -> float:
        """Expected calibration error: how far confidence lies from accuracy, on average over the images."""
        return float(np.abs(self.confidences - self.right).sum() / self.images.sum())


MEASURES: Mapping[str, Callable[[Outcomes], float]] = {
    "accuracy": accuracy,
    "top_3": top_3,
    "balanced_accuracy": lambda outcomes: outcomes.by_class.balanced_accuracy,
    "macro_f1": lambda outcomes: outcomes.by_class.macro_f1,
    "loss": log_loss,
    "calibration_error": lambda outcomes: reliability(outcomes).calibration_error,
}


@dataclass(frozen=True)
class Interval:
    """A value, and where it would lie in 95 of 100 other samples of as many images."""

    value: float
    low: float
    high: float


def share(part: int, whole: int) -> Interval:
    """part / whole with Wilson's (1927) interval, which holds for few images and near 0 and 1 too."""
    if not whole:
        return Interval(np.nan, 0.0, 1.0)
    value, z = part / whole, 1.96
    middle = (value + z**2 / (2 * whole)) / (1 + z**2 / whole)
    margin = z * np.sqrt(value * (1 - value) / whole + z**2 / (4 * whole**2)) / (1 + z**2 / whole)
    return Interval(value, max(middle - margin, 0.0), min(middle + margin, 1.0))


def with_intervals(outcomes: Outcomes, baseline: Outcomes | None = None) -> dict[str, tuple[Interval, Interval | None]]:
    """Each measure, and how much it exceeds the baseline's on the same images, by bootstrap (percentiles)."""
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
    """Areas under the ROC curves, each class against the rest, and their mean.

    labels [images], probabilities [images, classes] -> areas [classes], nan for a class with no images or with
    all of them. The interval is DeLong's (1988), of the mean of the areas.
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
        shares = np.where(positive, positive.mean(), 1 - positive.mean())
        influence += (placed - areas[one]) / shares
    counted = np.isfinite(areas).sum()
    if not counted:
        return areas, Interval(np.nan, np.nan, np.nan)
    mean = float(np.nanmean(areas))
    margin = 1.96 * float(np.sqrt((influence**2).sum())) / count / counted
    return areas, Interval(mean, mean - margin, min(mean + margin, 1.0))


def _placements(scores: np.ndarray, positive: np.ndarray) -> np.ndarray:
    """The share of the other side's images that each one is on the right side of; ties count half."""
    placed = np.empty(len(scores))
    below, above = np.sort(scores[~positive]), np.sort(scores[positive])
    ours = scores[positive]
    placed[positive] = (np.searchsorted(below, ours, "left") + np.searchsorted(below, ours, "right")) / 2 / len(below)
    theirs = scores[~positive]
    passed = (np.searchsorted(above, theirs, "left") + np.searchsorted(above, theirs, "right")) / 2
    placed[~positive] = 1 - passed / len(above)
    return placed


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)
