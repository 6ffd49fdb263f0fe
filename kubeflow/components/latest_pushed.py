"""The component LatestPushed: which pushed model is the newest, looked up anew in every run.

It is never cached. What depends on its answer is: while no other model is pushed, Baseline and Evaluator stay cached.
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
    """Only pushed models are blessed ones, so the newest of them is the latest blessed model.

    Args:
        latest: Where it lies.
        pushed: The folder of PushedModels.
        candidate: The model that has to beat it; it must be older than that.
        schema: Where there is no candidate yet: whatever tells how the object store is reached.
    """
    del schema
    latest.write(PushedModels(pushed).latest_before(candidate and to_uri(candidate.uri)) or NONE)
