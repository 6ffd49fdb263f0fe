"""The component DataBefore: notes which data this run has read, and says which came before it, in every run anew."""

from tfx import v1 as tfx

from efficientmixnet.kubeflow.data_records import DataRecords
from efficientmixnet.kubeflow.launcher_paths import to_uri

NONE = "none"


@tfx.dsl.components.component
def DataBefore(
    examples: tfx.dsl.components.InputArtifact[tfx.types.standard_artifacts.Examples],
    statistics: tfx.dsl.components.InputArtifact[tfx.types.standard_artifacts.ExampleStatistics],
    before: tfx.dsl.components.OutputArtifact[tfx.types.standard_artifacts.String],
    records: tfx.dsl.components.Parameter[str],
) -> None:
    """It is never cached; PreviousStatistics, which fetches what it names, is."""
    source = examples.get_string_custom_property("source")
    found = DataRecords(records).statistics_before(source, examples.span or 0, to_uri(statistics.uri))
    before.write(found or NONE)
