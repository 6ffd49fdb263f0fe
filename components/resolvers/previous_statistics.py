"""DataBefore: finds the statistics of the previous data."""

import ml_metadata
from tfx import types
from tfx import v1 as tfx


class LatestStatisticsBefore(tfx.dsl.experimental.ResolverStrategy):
    """Chooses the latest statistics that are older than `now`, and of an earlier span if there are spans."""

    def resolve_artifacts(
        self, store: ml_metadata.MetadataStore, input_dict: dict[str, list[types.Artifact]]
    ) -> dict[str, list[types.Artifact]]:
        """Returns the inputs with at most one artifact in `previous`."""
        now = max(input_dict["now"], key=lambda statistics: statistics.id)
        older = [
            statistics
            for statistics in input_dict["previous"]
            if statistics.id < now.id and (statistics.span < now.span or not now.span)
        ]
        latest = max(older, key=lambda statistics: (statistics.span, statistics.id), default=None)
        return {**input_dict, "previous": [latest] if latest else []}


def previous_statistics(now: tfx.types.BaseChannel) -> tfx.dsl.Resolver:
    """Returns the node whose output `previous` are the statistics to measure drift from, or empty.

    Args:
        now: The current statistics.
    """
    return tfx.dsl.Resolver(
        strategy_class=LatestStatisticsBefore,
        now=now,
        previous=tfx.dsl.Channel(type=tfx.types.standard_artifacts.ExampleStatistics),
    ).with_id("DataBefore")
