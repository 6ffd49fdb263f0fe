"""The latest spans: the present examples, and those of the spans before that earlier runs have ingested."""

import ml_metadata
from tfx import types
from tfx import v1 as tfx


class LatestSpans(tfx.dsl.experimental.ResolverStrategy):
    """Leaves in `examples` those of the present span first, then of the spans before it, so many in all.

    TFX's SpanRangeStrategy would take a span in each of its versions, and of every source that there ever was.
    """

    def __init__(self, count: int) -> None:
        self._count = count

    def resolve_artifacts(
        self, store: ml_metadata.MetadataStore, input_dict: dict[str, list[types.Artifact]]
    ) -> dict[str, list[types.Artifact]]:
        """Chooses, of each span before, the highest version and of that the latest."""
        (now,) = input_dict["now"]
        latest: dict[int, types.Artifact] = {}
        for one in sorted(input_dict["examples"], key=lambda examples: (examples.version, examples.id)):
            # What Transform writes are examples too, of no source.
            if one.span < now.span and _source(one) and _source(one) == _source(now):
                latest[one.span] = one
        before = [latest[span] for span in sorted(latest, reverse=True)]
        return {**input_dict, "examples": [now, *before[: self._count - 1]]}


def _source(examples: types.Artifact) -> str:
    return examples.get_string_custom_property("source")


def latest_spans(now: tfx.types.BaseChannel, count: int) -> tfx.dsl.Resolver:
    """Resolves the `examples` that training learns from."""
    return tfx.dsl.Resolver(
        strategy_class=LatestSpans,
        config={"count": count},
        now=now,
        examples=tfx.dsl.Channel(type=tfx.types.standard_artifacts.Examples),
    ).with_id("LatestSpans")
