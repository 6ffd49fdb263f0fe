"""The component DataBefore: notes which data this run has read, and says which came before it, in every run anew."""

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
    """It is never cached; PreviousStatistics and LatestSpans, which fetch what it names, are.

    Args:
        examples: The data now.
        statistics: Of the examples.
        before: Where the statistics of the data before lie.
        earlier: JSON, where the examples of the spans before lie.
        records: The folder of DataRecords.
        spans: How many training learns from, the present one included.
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
