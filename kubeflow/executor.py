"""execute: runs a component's TFX executor in this process, with the inputs and outputs of Kubeflow's launcher.

TFX's entry point and the launcher do not fit together without these changes:
- Outputs that the component does not declare, such as the launcher's `executor-logs`, are removed.
- The empty types of inputs are filled in from the component's specification.
- URIs of object stores become the launcher's paths, and in the report URIs again.
- Properties without a value, which the launcher cannot store, are removed from the report.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from efficientmixnet.kubeflow.launcher_paths import to_path, to_uri

# The property of an artifact without content, such as Baseline's before the first push. A task needs all its inputs.
ABSENT = "absent"


def invocation_of(arguments: Sequence[str]) -> dict[str, Any]:
    """Returns the ExecutorInput from the arguments of a task's command."""
    options, _ = _parser().parse_known_args(arguments)
    return dict(json.loads(options.json_serialized_invocation_args))


def execute(arguments: Sequence[str], invocation: dict[str, Any]) -> dict[str, Any]:
    """Runs a component's executor.

    Args:
        arguments: The arguments of the task's command.
        invocation: The ExecutorInput to use.

    Returns:
        TFX's ExecutorOutput, for the launcher.
    """
    options, beam_arguments = _parser().parse_known_args(arguments)
    task = localize(
        invocation, json.loads(options.json_serialized_inputs_spec_args), json.loads(options.output_artifacts)
    )
    report = Path(task["outputs"]["outputFile"])
    report.parent.mkdir(parents=True, exist_ok=True)

    from tfx.orchestration.kubeflow.v2.container import kubeflow_v2_run_executor

    options.json_serialized_invocation_args = json.dumps(task)
    kubeflow_v2_run_executor._run_executor(options, beam_arguments)
    return globalize(json.loads(report.read_text()))


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
                if not any(artifact.get("metadata", {}).get(ABSENT) for artifact in listed)
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


def globalize(report: dict[str, Any]) -> dict[str, Any]:
    """Converts TFX's ExecutorOutput into one for the launcher. Changes `report`, and returns it."""
    for _, listed in _artifacts(report):
        for artifact in listed:
            artifact["uri"] = to_uri(artifact["uri"])
            metadata = artifact.get("metadata", {})
            artifact["metadata"] = {key: value for key, value in metadata.items() if value is not None}
    return report


def _artifacts(of: dict[str, Any]) -> list[tuple[str, list[dict[str, Any]]]]:
    return [(name, listed.get("artifacts", [])) for name, listed in of.get("artifacts", {}).items()]


def _localized(artifact: dict[str, Any], kind: dict[str, Any] | None) -> dict[str, Any]:
    kind = kind or artifact.get("type")
    return {**artifact, "uri": to_path(artifact.get("uri", "")), **({"type": kind} if kind else {})}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--executor_class_path", required=True)
    parser.add_argument("--json_serialized_invocation_args", required=True)
    parser.add_argument("--json_serialized_inputs_spec_args", default="{}")
    parser.add_argument("--output_artifacts", default="[]", help="JSON list of the component's outputs")
    return parser
