"""PreviousStatistics: fetches the statistics of the previous data, with which ExampleValidator compares."""

from tfx import v1 as tfx

from efficientmixnet.kubeflow.components.fetch import fetch


@tfx.dsl.components.component
def PreviousStatistics(
    now: tfx.dsl.components.InputArtifact[tfx.types.standard_artifacts.ExampleStatistics],
    previous: tfx.dsl.components.OutputArtifact[tfx.types.standard_artifacts.ExampleStatistics],
    before: tfx.dsl.components.Parameter[str],
) -> None:
    """Fetches the statistics that DataBefore found.

    Args:
        now: The statistics of this run's data.
        previous: The statistics of the previous data.
        before: Their URI, or NONE.
    """
    fetch(before, previous)
    previous.split_names = now.split_names
