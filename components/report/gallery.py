"""Gallery: which images the page shows, out of all that were evaluated."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from efficientmixnet.components.evaluator.measures import Outcomes

MISTAKES, SURE = 24, 12  # images
MOST_CELLS_CLASSES = 40  # with more classes the page lists the top confusions, and has no matrix
TOP_CONFUSIONS = 60
_IN_A_CELL, _ON_THE_DIAGONAL = 6, 3
_MOST = 480  # images on the page, some 4 KB each


@dataclass(frozen=True)
class Gallery:
    """Positions of images, the most telling first."""

    mistakes: tuple[int, ...]  # the surest wrong answers
    sure: tuple[int, ...]  # the surest right ones
    unsure: tuple[int, ...]  # the least sure ones, right or wrong
    cells: dict[tuple[int, int], tuple[int, ...]]  # by right and named class

    def all(self) -> list[int]:
        """Each image once."""
        cells = (position for cell in self.cells.values() for position in cell)
        return list(dict.fromkeys((*self.mistakes, *self.sure, *self.unsure, *cells)))


def choose(outcomes: Outcomes) -> Gallery:
    """The images that say most about the model."""
    surest = np.argsort(-outcomes.confidence, kind="stable")
    right = outcomes.right[surest]
    mistakes = surest[~right][:MISTAKES]
    return Gallery(
        mistakes=tuple(mistakes.tolist()),
        sure=tuple(surest[right][:SURE].tolist()),
        unsure=tuple(surest[::-1][:SURE].tolist()),
        cells=dict(_cells(outcomes, surest)),
    )


def top_confusions(outcomes: Outcomes) -> list[tuple[int, int, int]]:
    """The most frequent mistakes: right class, named class, images."""
    counts = outcomes.confusion.copy()
    np.fill_diagonal(counts, 0)
    order = np.argsort(-counts, axis=None, kind="stable")[:TOP_CONFUSIONS]
    rows, columns = np.unravel_index(order, counts.shape)
    found = zip(rows.tolist(), columns.tolist(), counts[rows, columns].tolist(), strict=True)
    return [one for one in found if one[2]]


def _cells(outcomes: Outcomes, surest: np.ndarray) -> Iterator[tuple[tuple[int, int], tuple[int, ...]]]:
    """The surest images of each shown cell; of right answers the least sure ones, and fewer."""
    left = _MOST
    for label, named, _ in top_confusions(outcomes):
        inside = (outcomes.labels[surest] == label) & (outcomes.named[surest] == named)
        chosen = surest[inside][: min(_IN_A_CELL, left)]
        left -= len(chosen)
        yield (label, named), tuple(chosen.tolist())
    if outcomes.classes <= MOST_CELLS_CLASSES:
        for label in range(outcomes.classes):
            inside = (outcomes.labels[surest] == label) & outcomes.right[surest]
            yield (label, label), tuple(surest[inside][::-1][:_ON_THE_DIAGONAL].tolist())
