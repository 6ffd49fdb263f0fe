"""LatestPushed: finds the newest pushed model. Only blessed models are pushed, so it is the latest blessed model.

It runs in every run. Evaluator is cached, and runs again if another model has been pushed.
"""

from efficientmixnet.kubeflow.fetched_inputs import NONE
from efficientmixnet.kubeflow.store.pushed_models import PushedModels
from efficientmixnet.kubeflow.tasks.task import Task


def run(task: Task) -> None:
    """Sets `latest`, the URI of the model. With a candidate, only models from before its push count."""
    candidate = task.inputs.get("candidate")
    latest = PushedModels(task.parameters["pushed"]).latest_before(candidate.uri if candidate else None)
    task.values["latest"] = latest or NONE
    print(f"the newest pushed model: {latest or 'none'}")
