"""LatestPushed: finds the newest pushed model.

It runs in every run. Baseline and Evaluator are cached, and run again if another model has been pushed.
"""

from tfx import v1 as tfx

from efficientmixnet.kubeflow.components.fetch import NONE
from efficientmixnet.kubeflow.launcher_paths import to_uri
from efficientmixnet.kubeflow.store.pushed_models import PushedModels


@tfx.dsl.components.component
def LatestPushed(
    latest: tfx.dsl.components.OutputArtifact[tfx.types.standard_artifacts.String],
    pushed: tfx.dsl.components.Parameter[str],
    candidate: tfx.dsl.components.InputArtifact[tfx.types.standard_artifacts.Model] = None,
    schema: tfx.dsl.components.InputArtifact[tfx.types.standard_artifacts.Schema] = None,
) -> None:
    """Finds the newest pushed model. Only blessed models are pushed, so it is the latest blessed model.

    Args:
        latest: The model's URI, or NONE.
        pushed: The folder of PushedModels.
        candidate: The model to evaluate. Only models from before its push count.
        schema: Used if there is no candidate yet: the launcher writes in its metadata how to reach the object store.
    """
    del schema
    latest.write(PushedModels(pushed).latest_before(candidate and to_uri(candidate.uri)) or NONE)
