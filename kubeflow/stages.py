"""execute_stages: runs the components of a merged task (package/merge_tasks.py), one after the other."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from efficientmixnet.kubeflow.executor import execute, parser


def execute_stages(arguments: Sequence[str], invocation: dict[str, Any]) -> dict[str, Any]:
    """Runs the task's own component, and those that were merged into it.

    Args:
        arguments: The arguments of the task's command.
        invocation: The task's ExecutorInput.

    Returns:
        The ExecutorOutput with the artifacts of all components.
    """
    stages = json.loads(parser().parse_known_args(arguments)[0].stages)
    prefixes = tuple(f"{stage['name']}_" for stage in stages)
    inputs = invocation.get("inputs", {})
    own = {
        kind: {key: one for key, one in named.items() if not key.startswith(prefixes)} for kind, named in inputs.items()
    }
    report = execute(arguments, {**invocation, "inputs": own})
    for stage in stages:
        done = execute([*stage["arguments"], *_NO_INVOCATION], _invocation_of(stage, invocation, report["artifacts"]))
        report["artifacts"].update(done.get("artifacts", {}))
    return report


# By the name in the ExecutorInput: the name in the package.
_KINDS = {"artifacts": "artifacts", "parameterValues": "parameters"}
_NO_INVOCATION = ("--json_serialized_invocation_args", "{}")


def _invocation_of(stage: Mapping[str, Any], whole: Mapping[str, Any], made: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the ExecutorInput of a merged component.

    Args:
        stage: The component, from merge_tasks.
        whole: The ExecutorInput of the task.
        made: The artifacts of the components before it.
    """
    prefix = f"{stage['name']}_"
    inputs = {
        kind: {
            **{key: named[own] for key, own in stage["shared"].get(_KINDS[kind], {}).items()},
            **{key.removeprefix(prefix): one for key, one in named.items() if key.startswith(prefix)},
        }
        for kind, named in whole.get("inputs", {}).items()
        if kind in _KINDS
    }
    inputs["artifacts"] = {**inputs.get("artifacts", {}), **{key: made[name] for key, name in stage["inputs"].items()}}
    outputs = whole["outputs"]
    return {
        "inputs": inputs,
        "outputs": {
            "artifacts": {name: outputs["artifacts"][name] for name in stage["outputs"]},
            "outputFile": f"{outputs['outputFile']}-{stage['name']}",
        },
    }
