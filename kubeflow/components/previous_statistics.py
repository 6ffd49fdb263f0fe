"""The component PreviousStatistics: those of the data before become an artifact, for ExampleValidator to compare."""

from tfx import v1 as tfx

from efficientmixnet.kubeflow import object_store
from efficientmixnet.kubeflow.components.data_before import NONE
from efficientmixnet.kubeflow.entrypoint import ABSENT


@tfx.dsl.components.component
def PreviousStatistics(
    now: tfx.dsl.components.InputArtifact[tfx.types.standard_artifacts.ExampleStatistics],
    previous: tfx.dsl.components.OutputArtifact[tfx.types.standard_artifacts.ExampleStatistics],
    before: tfx.dsl.components.Parameter[str],
) -> None:
    """Fetches them; where there are none, the artifact says so, and ExampleValidator does without."""
    if before == NONE:
        previous.set_int_custom_property(ABSENT, 1)
    else:
        object_store.download(before, previous.uri)
        previous.split_names = now.split_names
