"""Measures: accuracy, F1, calibration and other numbers, computed from a classifier's predictions with NumPy."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np

BINS = 15  # of confidence, in calibration
_LEAST_PROBABILITY = float(np.finfo(np.float32).eps)  # keeps one confident mistake from making a mean infinite


@dataclass(frozen=True)
class Outcomes:
    """What a classifier predicted for each image.

    Args:
        classes: The number of classes.
        labels: int [images], the true class; -1 for a class that training did not have.
        predicted: int [images], the most probable class.
        confidence: float [images], the probability of the predicted class.
        label_probability: float [images], the probability of the true class.
        label_rank: int [images], how many classes are more probable than the true class.
    """

    classes: int
    labels: np.ndarray
    predicted: np.ndarray
    confidence: np.ndarray
    label_probability: np.ndarray
    label_rank: np.ndarray

    @classmethod
    def of(cls, labels: np.ndarray, probabilities: np.ndarray) -> "Outcomes":
        """Returns the outcomes for labels [images] and probabilities [images, classes]."""
        rows = np.arange(len(labels))
        known = labels >= 0
        label_probability = np.where(known, probabilities[rows, np.maximum(labels, 0)], 0.0)
        predicted = probabilities.argmax(axis=1)
        rank = (probabilities > label_probability[:, None]).sum(axis=1)
        # argmax predicts the first of two equally probable classes; a label that is the second one is not a hit.
        rank = np.where(predicted == labels, 0, np.maximum(rank, 1))
        return cls(
            probabilities.shape[1],
            labels,
            predicted,
            probabilities[rows, predicted],
            label_probability.astype(float),
            rank,
        )

    @classmethod
    def together(cls, parts: "list[Outcomes]") -> "Outcomes":
        """Returns the parts, one after another."""
        arrays = [field.name for field in fields(cls) if field.name != "classes"]
        return cls(parts[0].classes, *(np.concatenate([getattr(part, name) for part in parts]) for name in arrays))

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, chosen: np.ndarray) -> "Outcomes":
        """Returns the outcomes of some images, chosen by position or by a boolean array."""
        arrays = [field.name for field in fields(self) if field.name != "classes"]
        return Outcomes(self.classes, *(getattr(self, name)[chosen] for name in arrays))

    @cached_property
    def correct(self) -> np.ndarray:
        """Whether the true class was predicted, bool [images]."""
        return self.predicted == self.labels

    @cached_property
    def confusion(self) -> np.ndarray:
        """Images by true class and by predicted class, int [classes, classes]."""
        known = self.labels >= 0
        cells = self.labels[known] * self.classes + self.predicted[known]
        return np.bincount(cells, minlength=self.classes**2).reshape(self.classes, self.classes)

    @cached_property
    def by_class(self) -> "ByClass":
        """Counts, precision, recall and F1 of each class."""

        def count(classes: np.ndarray) -> np.ndarray:
            return np.bincount(classes[classes >= 0], minlength=self.classes)

        return ByClass(count(self.labels), count(self.predicted), count(self.labels[self.correct]))


@dataclass(frozen=True)
class ByClass:
    """Counts and measures of each class. A measure without images is 0, and does not count in means.

    Args:
        images: [classes], images of the class.
        predicted: [classes], images that were predicted as the class.
        correct: [classes], images of the class that were predicted as it.
    """

    images: np.ndarray
    predicted: np.ndarray
    correct: np.ndarray

    @property
    def precision(self) -> np.ndarray:
        return _fraction(self.correct, self.predicted)

    @property
    def recall(self) -> np.ndarray:
        return _fraction(self.correct, self.images)

    @property
    def f1(self) -> np.ndarray:
        return _fraction(2 * self.correct, self.images + self.predicted)

    @property
    def balanced_accuracy(self) -> float:
        """The mean recall of the classes that have images."""
        return float(self.recall[self.images > 0].mean())

    @property
    def macro_f1(self) -> float:
        """The mean F1 of the classes that have images or predictions."""
        return float(self.f1[self.images + self.predicted > 0].mean())


def accuracy(outcomes: Outcomes) -> float:
    return float(outcomes.correct.mean())


def top_3(outcomes: Outcomes) -> float:
    """Returns the fraction of images whose true class is among the three most probable."""
    return float((outcomes.label_rank < 3).mean())


def log_loss(outcomes: Outcomes) -> float:
    """Returns the mean cross-entropy in nats."""
    return float(-np.log(np.clip(outcomes.label_probability, _LEAST_PROBABILITY, 1.0)).mean())


def reliability(outcomes: Outcomes) -> "Reliability":
    """Returns the sums by confidence, in bins of equal width."""
    bins = bin_of(outcomes.confidence)
    return Reliability(*(np.bincount(bins, of, BINS) for of in (None, outcomes.confidence, outcomes.correct)))


def reliability_of_equal_bins(outcomes: Outcomes, bins: int) -> "Reliability":
    """Returns the sums by confidence, in bins of as many images each, from the lowest confidence to the highest."""
    parts = [outcomes[chosen] for chosen in np.array_split(np.argsort(outcomes.confidence, kind="stable"), bins)]
    sums = [(len(part), part.confidence.sum(), part.correct.sum()) for part in parts]
    return Reliability(*np.array(sums).T)


def bin_of(confidence: np.ndarray) -> np.ndarray:
    """Returns the number of the bin: 0 for confidences up to 1 / BINS, 1 for those up to 2 / BINS, and so on."""
    return np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)


@dataclass(frozen=True)
class Reliability:
    """Sums over the images in each bin of confidence, each [bins]."""

    images: np.ndarray
    confidences: np.ndarray
    correct: np.ndarray

    @property
    def confidence(self) -> np.ndarray:
        return _fraction(self.confidences, self.images)

    @property
    def accuracy(self) -> np.ndarray:
        return _fraction(self.correct, self.images)

    @property
    def calibration_error(self) -> float:
        """The expected calibration error: the mean difference between confidence and accuracy over the images."""
        return float(np.abs(self.confidences - self.correct).sum() / self.images.sum())


MEASURES: Mapping[str, Callable[[Outcomes], float]] = {
    "accuracy": accuracy,
    "top_3": top_3,
    "balanced_accuracy": lambda outcomes: outcomes.by_class.balanced_accuracy,
    "macro_f1": lambda outcomes: outcomes.by_class.macro_f1,
    "loss": log_loss,
    "calibration_error": lambda outcomes: reliability(outcomes).calibration_error,
}
"""The function that computes each of metric_names.GATED_METRICS."""


def _fraction(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)
