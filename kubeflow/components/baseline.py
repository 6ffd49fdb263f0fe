"""The component Baseline: the model to beat becomes an artifact, which the launcher can carry to Evaluator."""

from tfx import v1 as tfx

from efficientmixnet.kubeflow import object_store
from efficientmixnet.kubeflow.components.latest_pushed import NONE
from efficientmixnet.kubeflow.entrypoint import ABSENT


@tfx.dsl.components.component
def Baseline(
    model: tfx.dsl.components.OutputArtifact[tfx.types.standard_artifacts.Model],
    candidate: tfx.dsl.components.InputArtifact[tfx.types.standard_artifacts.Model],
    latest: tfx.dsl.components.Parameter[str],
) -> None:
    """Fetches the pushed model; where there is none, the artifact says so, and Evaluator does without.

    Of the candidate only one thing is wanted: the launcher notes at it how the object store is reached.
    """
    del candidate
    if latest == NONE:
        model.set_int_custom_property(ABSENT, 1)
    else:
        object_store.download(latest, f"{model.uri}/Format-Serving")
