"""Training uses the current span and those before it, each once."""

from typing import Any

import pytest
from tfx import v1 as tfx

from efficientmixnet.components.resolvers.latest_spans import LatestSpans


def _examples(number: int, span: int, version: int = 0, source: str = "days/{SPAN}") -> Any:
    examples = tfx.types.standard_artifacts.Examples()
    examples.id, examples.span, examples.version = number, span, version
    if source:  # Transform's outputs have none
        examples.set_string_custom_property("source", source)
    return examples


KNOWN = [
    _examples(1, 1),
    _examples(2, 1, source=""),
    _examples(3, 2, version=2),
    _examples(4, 2, version=1),
    _examples(5, 3),
    _examples(6, 3),
    _examples(7, 3, source="nights/{SPAN}"),
    _examples(8, 5),
    _examples(9, 4),
    _examples(10, 4),
]


@pytest.mark.parametrize(
    ("count", "chosen"),
    [
        (1, [10]),
        (3, [10, 6, 3]),  # the latest run of span 3, and the highest version of span 2
        (9, [10, 6, 3, 1]),  # there are no more: not the later span, Transform's output or another source
    ],
)
def test_the_current_span_comes_first_and_each_earlier_one_once(count: int, chosen: list[int]) -> None:
    resolved = LatestSpans(count).resolve_artifacts(None, {"now": [KNOWN[-1]], "examples": KNOWN})
    assert [one.id for one in resolved["examples"]] == chosen
