"""Task: the inputs and outputs of one of the cluster's own tasks, and run_task, which runs it."""

import importlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from efficientmixnet.kubeflow.launcher_paths import to_path, to_uri

# By task, its file in this folder.
TASKS = {
    "DataVersion": "data_version",
    "DataBefore": "data_before",
    "LatestSpans": "latest_spans",
    "PushedBefore": "latest_pushed",
    "LatestPushed": "latest_pushed",
    "Pusher": "pusher",
}


@dataclass
class Artifact:
    """An input or output artifact.

    Args:
        uri: Its URI.
        properties: Its properties. Those of an output are recorded in ML Metadata.
    """

    uri: str
    properties: dict[str, Any] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """The local folder in which the launcher puts it."""
        return to_path(self.uri)

    @property
    def splits(self) -> list[str]:
        """The names of its splits."""
        return list(json.loads(self.properties["split_names"]))


@dataclass
class Task:
    """One execution of a task.

    Args:
        inputs: The input artifacts by name.
        outputs: The output artifacts by name.
        parameters: The parameters by name.
        values: The output parameters by name, which the task sets.
    """

    inputs: Mapping[str, Artifact]
    outputs: Mapping[str, Artifact]
    parameters: Mapping[str, Any]
    values: dict[str, str] = field(default_factory=dict)


def run_task(module: str, invocation: Mapping[str, Any], outputs: list[str]) -> dict[str, Any]:
    """Runs a task.

    Args:
        module: The file in this folder, which has a function `run`.
        invocation: The task's ExecutorInput.
        outputs: The names of the output artifacts that the component declares.

    Returns:
        The ExecutorOutput for the launcher.
    """
    inputs = invocation.get("inputs", {})
    task = Task(
        _artifacts(inputs, list(inputs.get("artifacts", {}))),
        _artifacts(invocation["outputs"], outputs),
        inputs.get("parameterValues", {}),
    )
    importlib.import_module(f"efficientmixnet.kubeflow.tasks.{module}").run(task)
    for name, value in task.values.items():  # an output parameter is an artifact too
        if name in task.outputs:
            Path(task.outputs[name].path).parent.mkdir(parents=True, exist_ok=True)
            Path(task.outputs[name].path).write_text(value, encoding="utf-8")
    return {
        "parameterValues": task.values,
        "artifacts": {
            name: {"artifacts": [{"name": name, "uri": to_uri(one.uri), "metadata": one.properties}]}
            for name, one in task.outputs.items()
        },
    }


def _artifacts(of: Mapping[str, Any], names: list[str]) -> dict[str, Artifact]:
    listed = {name: of.get("artifacts", {}).get(name, {}).get("artifacts", []) for name in names}
    return {
        name: Artifact(found[0].get("uri", ""), dict(found[0].get("metadata", {})))
        for name, found in listed.items()
        if found
    }
