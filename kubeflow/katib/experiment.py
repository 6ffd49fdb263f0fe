"""experiment: turns the section `search` into a Katib Experiment, which runs each trial in its own pod.

The trials train on the transformed images of an earlier run, in the object store or on a volume.
"""

from collections.abc import Mapping
from typing import Any

import yaml

from efficientmixnet.kubeflow.katib.trial import MODEL, TRANSFORMED, VALUES
from efficientmixnet.kubeflow.training_jobs.settings import as_argument
from efficientmixnet.kubeflow.training_jobs.worker_pod import worker_pod
from efficientmixnet.modules.config.search_config import Dimension, takes_whole_numbers
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.pipeline.config.config import Config

_CONTAINER = "trial"
_COMMAND = ("python", "-m", "efficientmixnet.kubeflow.katib.trial")
_ALGORITHMS = {"bayesian": "bayesianoptimization", "random": "random"}
_MOST_FAILURES = 3
_GOALS = {"max": "maximize", "min": "minimize"}


def experiment(config: Config, transformed: str) -> dict[str, Any]:
    """Returns the manifest of the Experiment.

    Args:
        config: The configuration of a run, with `search.space`.
        transformed: The folder with transformed_examples and transform_graph, the outputs of a run's Transform.

    Raises:
        BadInput: The search is empty, or Katib cannot run it.
    """
    search = config.search
    if not search.space:
        raise BadInput("search.space: is empty; give the keys to search, such as {training.learning_rate: [0.01, 0.1]}")
    if search.algorithm not in _ALGORITHMS:
        raise BadInput(
            f"search.algorithm: {search.algorithm} continues trials, which Katib's pods cannot do; give "
            f"{' or '.join(_ALGORITHMS)}"
        )
    if not config.kubeflow.image:
        raise BadInput("kubeflow.image: is missing; give the container image (--image REGISTRY/efficientmixnet:TAG)")
    if config.network.weights == "latest":
        raise BadInput(
            "network.weights: latest could be a different model in each of Katib's trials; give a model on a volume, "
            "or search in the pipeline, whose Tuner uses the same model for all trials"
        )
    names = {key: _name(key) for key in search.space}
    return {
        "apiVersion": "kubeflow.org/v1beta1",
        "kind": "Experiment",
        "metadata": {"name": f"{config.name[:40]}-search"},
        "spec": {
            "objective": {"type": _GOALS[search.direction], "objectiveMetricName": search.objective},
            "algorithm": {"algorithmName": _ALGORITHMS[search.algorithm]},
            "maxTrialCount": search.trials,
            "parallelTrialCount": search.workers,
            "maxFailedTrialCount": _MOST_FAILURES,
            "parameters": [
                {"name": names[key], **_parameter(key, dimension)} for key, dimension in search.space.items()
            ],
            "metricsCollectorSpec": {"collector": {"kind": "StdOut"}},
            "trialTemplate": {
                "primaryContainerName": _CONTAINER,
                "trialParameters": [{"name": name, "reference": name} for name in names.values()],
                "trialSpec": _trial(config, transformed, names),
            },
        },
    }


def _name(key: str) -> str:
    """Returns the name of Katib's parameter, which may not have dots."""
    return key.replace(".", "-")


def _parameter(key: str, dimension: Dimension) -> dict[str, Any]:
    if dimension.values:
        numbers = all(isinstance(one, (int, float)) and not isinstance(one, bool) for one in dimension.values)
        values = [_text(one) for one in dimension.values]
        return {"parameterType": "discrete" if numbers else "categorical", "feasibleSpace": {"list": values}}
    space = {"min": _text(dimension.min), "max": _text(dimension.max)}
    if dimension.step:
        space["step"] = _text(dimension.step)
    if dimension.sampling == "log":
        space["distribution"] = "logUniform"
    return {"parameterType": "int" if takes_whole_numbers(key) else "double", "feasibleSpace": space}


def _text(value: Any) -> str:
    """Returns a value as one line of YAML. Katib puts it into the trial's JSON, so it must not have double quotes."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    line = yaml.safe_dump(value, default_flow_style=True, width=2**16).removesuffix("\n...\n").strip()
    if '"' in line or "\n" in line:
        raise BadInput(
            f"search.space: {value!r} cannot be a parameter of Katib; give a value without quotes and line breaks"
        )
    return line


def _trial(config: Config, transformed: str, names: Mapping[str, str]) -> dict[str, Any]:
    model = config.search.of_a_trial(config).model_dump(mode="json", include={"network", "training"})
    values = "".join(f"{key}: ${{trialParameters.{name}}}\n" for key, name in names.items())
    pod = worker_pod(config.kubeflow, config.kubeflow.trainer or config.kubeflow.pod)
    (container,) = pod["spec"]["containers"]
    # Not as arguments: Katib joins the command to a shell line without quotes.
    environment = [
        {"name": MODEL, "value": as_argument(model)},
        {"name": VALUES, "value": values},
        {"name": TRANSFORMED, "value": transformed.rstrip("/")},
    ]
    trial = {**container, "name": _CONTAINER, "command": list(_COMMAND), "env": [*container["env"], *environment]}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "spec": {
            # A preempted trial starts from scratch.
            "backoffLimit": config.kubeflow.retries.count,
            "template": {
                "metadata": pod["metadata"],
                "spec": {**pod["spec"], "restartPolicy": "Never", "containers": [trial]},
            },
        },
    }
