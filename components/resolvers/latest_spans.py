"""LatestSpans: finds the examples of earlier spans that earlier runs ingested."""

import ml_metadata
from tfx import types
from tfx import v1 as tfx


class LatestSpans(tfx.dsl.experimental.ResolverStrategy):
    """Chooses the examples of the current span and of the spans before it.

    TFX's SpanRangeStrategy would take every version of a span, and spans of every source.

    Args:
        count: The number of spans.
    """

    def __init__(self, count: int) -> None:
        self._count = count

    def resolve_artifacts(
        self, store: ml_metadata.MetadataStore, input_dict: dict[str, list[types.Artifact]]
    ) -> dict[str, list[types.Artifact]]:
        """Returns the inputs with the chosen `examples`, the latest span first, each in its highest version."""
        (now,) = input_dict["now"]
        latest: dict[int, types.Artifact] = {}
        for one in sorted(input_dict["examples"], key=lambda examples: (examples.version, examples.id)):
            # Transform's outputs are examples too, but have no source.
            if one.span < now.span and _source(one) and _source(one) == _source(now):
                latest[one.span] = one
        before = [latest[span] for span in sorted(latest, reverse=True)]
        return {**input_dict, "examples": [now, *before[: self._count - 1]]}


def _source(examples: types.Artifact) -> str:
    return examples.get_string_custom_property("source")


def latest_spans(now: tfx.types.BaseChannel, count: int) -> tfx.dsl.Resolver:
    """Returns the node whose output `examples` are the examples to train on.

    Args:
        now: The current examples.
        count: The number of spans.
    """
    return tfx.dsl.Resolver(
        strategy_class=LatestSpans,
        config={"count": count},
        now=now,
        examples=tfx.dsl.Channel(type=tfx.types.standard_artifacts.Examples),
    ).with_id("LatestSpans")
