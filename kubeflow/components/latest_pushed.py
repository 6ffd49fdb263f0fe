"""The component LatestPushed: which model the candidate has to beat, looked up anew in every run.

It is never cached. What depends on its answer is: while no other model is pushed, Baseline and Evaluator stay cached.
"""

from tfx import v1 as tfx

from efficientmixnet.kubeflow.launcher_paths import to_uri
from efficientmixnet.kubeflow.pushed_models import PushedModels

NONE = "none"  # an empty parameter would be hard to tell from one that was never set


@tfx.dsl.components.component
def LatestPushed(
    candidate: tfx.dsl.components.InputArtifact[tfx.types.standard_artifacts.Model],
    latest: tfx.dsl.components.OutputArtifact[tfx.types.standard_artifacts.String],
    pushed: tfx.dsl.components.Parameter[str],
) -> None:
    """Only pushed models are blessed ones, so the newest of them is the latest blessed model."""
    latest.write(PushedModels(pushed).latest_before(to_uri(candidate.uri)) or NONE)
