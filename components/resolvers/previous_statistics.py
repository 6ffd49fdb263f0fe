"""The statistics of the data before: the latest ones that are older than the present ones, of an earlier span."""

import ml_metadata
from tfx import types
from tfx import v1 as tfx


class LatestStatisticsBefore(tfx.dsl.experimental.ResolverStrategy):
    """Leaves in `previous` the latest statistics that came before `now`, or nothing; of the same span there is none."""

    def resolve_artifacts(
        self, store: ml_metadata.MetadataStore, input_dict: dict[str, list[types.Artifact]]
    ) -> dict[str, list[types.Artifact]]:
        """Chooses one."""
        now = max(input_dict["now"], key=lambda statistics: statistics.id)
        older = [
            statistics
            for statistics in input_dict["previous"]
            if statistics.id < now.id and (statistics.span < now.span or not now.span)
        ]
        latest = max(older, key=lambda statistics: (statistics.span, statistics.id), default=None)
        return {**input_dict, "previous": [latest] if latest else []}


def previous_statistics(now: tfx.types.BaseChannel) -> tfx.dsl.Resolver:
    """Resolves the statistics that drift is measured from; without any, nothing is."""
    return tfx.dsl.Resolver(
        strategy_class=LatestStatisticsBefore,
        now=now,
        previous=tfx.dsl.Channel(type=tfx.types.standard_artifacts.ExampleStatistics),
    ).with_id("DataBefore")
