"""Gallery: the evaluated images that the page shows."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from efficientmixnet.components.evaluator.measures import Outcomes

MISTAKES, OTHERS = 24, 12  # images in a gallery
MOST_CELLS_CLASSES = 40  # with more classes, the page lists the top confusions instead of a matrix
TOP_CONFUSIONS = 60
_IN_A_CELL, _ON_THE_DIAGONAL = 6, 3
_MOST = 480  # images on the page, about 4 KB each


@dataclass(frozen=True)
class Gallery:
    """Positions of images in the split.

    Args:
        mistakes: The wrong predictions with the highest confidence.
        confident: The correct predictions with the highest confidence.
        unconfident: The predictions with the lowest confidence.
        cells: Images in cells of the confusion matrix, by true and predicted class.
    """

    mistakes: tuple[int, ...]
    confident: tuple[int, ...]
    unconfident: tuple[int, ...]
    cells: dict[tuple[int, int], tuple[int, ...]]

    def all(self) -> list[int]:
        """Returns each position once."""
        cells = (position for cell in self.cells.values() for position in cell)
        return list(dict.fromkeys((*self.mistakes, *self.confident, *self.unconfident, *cells)))


def choose(outcomes: Outcomes) -> Gallery:
    """Returns the images to show."""
    by_confidence = np.argsort(-outcomes.confidence, kind="stable")
    correct = outcomes.correct[by_confidence]
    mistakes = by_confidence[~correct][:MISTAKES]
    return Gallery(
        mistakes=tuple(mistakes.tolist()),
        confident=tuple(by_confidence[correct][:OTHERS].tolist()),
        unconfident=tuple(by_confidence[::-1][:OTHERS].tolist()),
        cells=dict(_cells(outcomes, by_confidence)),
    )


def top_confusions(outcomes: Outcomes) -> list[tuple[int, int, int]]:
    """Returns the most frequent mistakes as (true class, predicted class, number of images)."""
    return confusions(outcomes.confusion)


def confusions(matrix: np.ndarray, most: int = TOP_CONFUSIONS) -> list[tuple[int, int, int]]:
    """Returns the same from the number of images, [true classes, predicted classes]."""
    counts = matrix.copy()
    np.fill_diagonal(counts, 0)
    order = np.argsort(-counts, axis=None, kind="stable")[:most]
    rows, columns = np.unravel_index(order, counts.shape)
    found = zip(rows.tolist(), columns.tolist(), counts[rows, columns].tolist(), strict=True)
    return [one for one in found if one[2]]


def _cells(outcomes: Outcomes, by_confidence: np.ndarray) -> Iterator[tuple[tuple[int, int], tuple[int, ...]]]:
    """Yields the most confident mistakes in each cell, and the least confident correct predictions."""
    most = _MOST if outcomes.classes <= MOST_CELLS_CLASSES else TOP_CONFUSIONS
    mistakes = confusions(outcomes.confusion, most)
    left = _MOST - len(mistakes)  # Each cell has an image before a frequent one has more.
    for label, predicted, count in mistakes:
        more = min(count, _IN_A_CELL, 1 + left) - 1
        left -= more
        inside = (outcomes.labels[by_confidence] == label) & (outcomes.predicted[by_confidence] == predicted)
        yield (label, predicted), tuple(by_confidence[inside][: 1 + more].tolist())
    if outcomes.classes <= MOST_CELLS_CLASSES:
        for label in range(outcomes.classes):
            inside = (outcomes.labels[by_confidence] == label) & outcomes.correct[by_confidence]
            yield (label, label), tuple(by_confidence[inside][::-1][:_ON_THE_DIAGONAL].tolist())
