"""execute: runs a component's TFX executor in this process, with the inputs and outputs of Kubeflow's launcher.

TFX's entry point and the launcher do not fit together without these changes:
- Outputs that the component does not declare, such as the launcher's `executor-logs`, are removed.
- The empty types of inputs are filled in from the component's specification.
- URIs of object stores become the launcher's paths, and in the report URIs again.
- Properties without a value, which the launcher cannot store, are removed from the report. So are ids of artifacts,
  since the ids that TFX's entry point makes up mean nothing to others.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from efficientmixnet.kubeflow.fetched_inputs import fetch
from efficientmixnet.kubeflow.launcher_paths import to_path, to_uri

_ID = "model_id"  # the end of the names of properties with ids that TFX's entry point makes up


def invocation_of(arguments: Sequence[str]) -> dict[str, Any]:
    """Returns the ExecutorInput from the arguments of a task's command."""
    options, _ = parser().parse_known_args(arguments)
    return dict(json.loads(options.json_serialized_invocation_args))


def execute(arguments: Sequence[str], invocation: dict[str, Any]) -> dict[str, Any]:
    """Runs a component's executor.

    Args:
        arguments: The arguments of the task's command.
        invocation: The ExecutorInput to use.

    Returns:
        TFX's ExecutorOutput, for the launcher.
    """
    options, beam_arguments = parser().parse_known_args(arguments)
    invocation = fetch(invocation, options.fetched)
    task = localize(
        invocation, json.loads(options.json_serialized_inputs_spec_args), json.loads(options.output_artifacts)
    )
    report = Path(task["outputs"]["outputFile"])
    report.parent.mkdir(parents=True, exist_ok=True)

    from tfx.orchestration.kubeflow.v2.container import kubeflow_v2_run_executor

    from efficientmixnet.kubeflow.drawn_outputs import draw

    options.json_serialized_invocation_args = json.dumps(task)
    kubeflow_v2_run_executor._run_executor(options, beam_arguments)
    written = json.loads(report.read_text())
    drawn = draw(invocation["outputs"], written)
    written.setdefault("artifacts", {}).update(drawn)
    return globalize(written, _places(task, json.loads(options.fetched)))


def localize(invocation: dict[str, Any], inputs_spec: dict[str, Any], outputs: Sequence[str]) -> dict[str, Any]:
    """Converts the launcher's ExecutorInput into one for TFX's entry point.

    Args:
        invocation: The ExecutorInput.
        inputs_spec: The component's ComponentInputsSpec, with the types of the inputs.
        outputs: The names of the component's output artifacts.
    """
    inputs = invocation.get("inputs", {})
    types = {name: spec["artifactType"] for name, spec in inputs_spec.get("artifacts", {}).items()}
    return {
        "inputs": {
            **inputs,
            "artifacts": {
                name: {"artifacts": [_localized(artifact, types.get(name)) for artifact in listed]}
                for name, listed in _artifacts(inputs)
            },
        },
        "outputs": {
            **invocation["outputs"],
            "outputFile": to_path(invocation["outputs"]["outputFile"]),
            "artifacts": {
                name: {"artifacts": [_localized(artifact, None) for artifact in listed]}
                for name, listed in _artifacts(invocation["outputs"])
                if name in outputs
            },
        },
    }


def globalize(report: dict[str, Any], places: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Converts TFX's ExecutorOutput into one for the launcher. Changes `report`, and returns it.

    Args:
        report: The ExecutorOutput.
        places: By local folder, the URI of which it is a copy.
    """
    places = places or {}
    for _, listed in _artifacts(report):
        for artifact in listed:
            artifact["uri"] = to_uri(artifact["uri"])
            artifact["metadata"] = {
                key: places.get(value) or to_uri(value) if isinstance(value, str) else value
                for key, value in artifact.get("metadata", {}).items()
                if value is not None and not key.endswith(_ID)
            }
    return report


def _places(task: Mapping[str, Any], fetched: Mapping[str, Any]) -> dict[str, str]:
    return {one["uri"]: one["name"] for name, listed in _artifacts(task["inputs"]) for one in listed if name in fetched}


def _artifacts(of: dict[str, Any]) -> list[tuple[str, list[dict[str, Any]]]]:
    return [(name, listed.get("artifacts", [])) for name, listed in of.get("artifacts", {}).items()]


def _localized(artifact: dict[str, Any], kind: dict[str, Any] | None) -> dict[str, Any]:
    kind = kind or artifact.get("type")
    return {**artifact, "uri": to_path(artifact.get("uri", "")), **({"type": kind} if kind else {})}


def parser() -> argparse.ArgumentParser:
    """Returns the parser of a task's command. Beam's arguments are left over."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--executor_class_path")
    parser.add_argument("--json_serialized_invocation_args", required=True)
    parser.add_argument("--json_serialized_inputs_spec_args", default="{}")
    parser.add_argument("--output_artifacts", default="[]", help="JSON list of the component's outputs")
    parser.add_argument("--fetched", default="{}", help="JSON: the inputs to fetch (fetched_inputs.py)")
    parser.add_argument("--stages", default="[]", help="JSON: the components that follow in this pod (stages.py)")
    parser.add_argument("--retries", default="{}", help="JSON: the arguments of retries_in_pod.run_with_retries")
    parser.add_argument("--task", help="a file in kubeflow/tasks, which runs instead of an executor")
    return parser
