"""DataBefore: records the data that this run reads, and finds the data before it."""

import json

from tfx import v1 as tfx

from efficientmixnet.kubeflow.components.fetch import NONE
from efficientmixnet.kubeflow.launcher_paths import to_uri
from efficientmixnet.kubeflow.store.data_records import DataRecords, DataSet


@tfx.dsl.components.component
def DataBefore(
    examples: tfx.dsl.components.InputArtifact[tfx.types.standard_artifacts.Examples],
    statistics: tfx.dsl.components.InputArtifact[tfx.types.standard_artifacts.ExampleStatistics],
    before: tfx.dsl.components.OutputArtifact[tfx.types.standard_artifacts.String],
    earlier: tfx.dsl.components.OutputArtifact[tfx.types.standard_artifacts.String],
    records: tfx.dsl.components.Parameter[str],
    spans: tfx.dsl.components.Parameter[int],
) -> None:
    """Runs in every run. PreviousStatistics and LatestSpans fetch what it finds, and are cached.

    Args:
        examples: The examples of this run.
        statistics: Their statistics.
        before: The URI of the statistics of the previous data, or NONE.
        earlier: A JSON list of URIs: the examples of the earlier spans.
        records: The folder of DataRecords.
        spans: The number of spans to train on, including the present one.
    """
    data = DataSet(
        source=examples.get_string_custom_property("source"),
        span=examples.span or 0,
        version=examples.version or 0,
        examples=to_uri(examples.uri),
        statistics=to_uri(statistics.uri),
    )
    history = DataRecords(records).note(data)
    before.write(history.statistics_before() or NONE)
    earlier.write(json.dumps(history.examples_before(spans - 1)))
