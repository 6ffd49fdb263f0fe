"""slices_of: the metrics of slices from predictions, as TFMA gives them for the gate."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from efficientmixnet.components.evaluator.measures import MEASURES, Outcomes
from efficientmixnet.components.evaluator.slices import COUNT, Slice


def slices_of(
    outcomes: Outcomes,
    baseline: Outcomes | None,
    columns: Mapping[str, np.ndarray],
    slicings: Sequence[Sequence[str]],
) -> Iterator[Slice]:
    """Yields the slice of all images, then the slices by each slicing. Unknown features give no slices.

    Args:
        outcomes: The candidate's outcomes.
        baseline: The baseline model's outcomes for the same images, if there is one.
        columns: The features of the images by name, [images] each.
        slicings: The features that each slicing crosses.
    """
    yield _slice((), outcomes, baseline)
    for names in slicings:
        if not set(names) <= columns.keys():
            continue
        positions: dict[tuple[Any, ...], list[int]] = defaultdict(list)
        for position, row in enumerate(zip(*(columns[name].tolist() for name in names), strict=True)):
            positions[row].append(position)
        for row, chosen in sorted(positions.items()):
            values = tuple(zip(names, map(str, row), strict=True))
            yield _slice(values, outcomes[np.array(chosen)], baseline and baseline[np.array(chosen)])


def _slice(values: tuple[tuple[str, str], ...], outcomes: Outcomes, baseline: Outcomes | None) -> Slice:
    return Slice(values, _metrics(outcomes), _metrics(baseline) if baseline else {}, {})


def _metrics(outcomes: Outcomes) -> dict[str, float]:
    return {COUNT: float(len(outcomes)), **{name: measure(outcomes) for name, measure in MEASURES.items()}}
