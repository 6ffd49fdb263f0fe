"""The component Baseline: the pushed model that LatestPushed has named becomes an artifact."""

from tfx import v1 as tfx

from efficientmixnet.kubeflow.components.fetch import fetch
from efficientmixnet.modules.exported_model import SERVING_FOLDER


@tfx.dsl.components.component
def Baseline(
    model: tfx.dsl.components.OutputArtifact[tfx.types.standard_artifacts.Model],
    latest: tfx.dsl.components.Parameter[str],
    candidate: tfx.dsl.components.InputArtifact[tfx.types.standard_artifacts.Model] = None,
    schema: tfx.dsl.components.InputArtifact[tfx.types.standard_artifacts.Schema] = None,
) -> None:
    """The model to beat, or, as WarmStart, the one that training starts from.

    Of candidate or schema only one thing is wanted: the launcher notes at them how the object store is reached.
    """
    del candidate, schema
    fetch(latest, model, SERVING_FOLDER)
