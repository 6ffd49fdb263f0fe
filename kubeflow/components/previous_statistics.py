"""The component PreviousStatistics: those of the data before become an artifact, for ExampleValidator to compare."""

from tfx import v1 as tfx

from efficientmixnet.kubeflow.components.fetch import fetch


@tfx.dsl.components.component
def PreviousStatistics(
    now: tfx.dsl.components.InputArtifact[tfx.types.standard_artifacts.ExampleStatistics],
    previous: tfx.dsl.components.OutputArtifact[tfx.types.standard_artifacts.ExampleStatistics],
    before: tfx.dsl.components.Parameter[str],
) -> None:
    """Fetches what DataBefore has named."""
    fetch(before, previous)
    previous.split_names = now.split_names
