"""Drift is measured from the latest statistics of an earlier span or, without spans, of an earlier run."""

from typing import Any

import pytest
from tfx import v1 as tfx

from efficientmixnet.components.resolvers.previous_statistics import LatestStatisticsBefore


def _statistics(number: int, span: int) -> Any:
    statistics = tfx.types.standard_artifacts.ExampleStatistics()
    statistics.id, statistics.span = number, span
    return statistics


@pytest.mark.parametrize(
    ("now", "known", "chosen"),
    [
        ((9, 3), [(1, 1), (4, 2), (5, 2), (7, 1), (9, 3)], 5),  # the latest run of the latest earlier span
        ((9, 3), [(4, 3), (9, 3), (12, 2)], None),  # the same span, and a later run
        ((9, 0), [(2, 0), (4, 0), (9, 0), (11, 0)], 4),  # without spans
        ((1, 0), [(1, 0)], None),  # the first run
    ],
)
def test_the_latest_earlier_statistics_are_chosen(now: tuple, known: list, chosen: int | None) -> None:
    inputs = {"now": [_statistics(*now)], "previous": [_statistics(*one) for one in known]}
    resolved = LatestStatisticsBefore().resolve_artifacts(None, inputs)
    assert [one.id for one in resolved["previous"]] == ([chosen] if chosen else [])
    assert resolved["now"] == inputs["now"]
