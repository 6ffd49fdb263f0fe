"""Baseline: fetches the pushed model that LatestPushed found."""

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
    """Fetches the baseline model, or, with the id WarmStart, the model from which training starts.

    Args:
        model: The fetched model.
        latest: The URI of the model, or NONE.
        candidate: Only its metadata is used, in which the launcher writes how to reach the object store.
        schema: Used like the candidate if there is no candidate yet.
    """
    del candidate, schema
    fetch(latest, model, SERVING_FOLDER)
