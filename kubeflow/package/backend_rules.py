"""backend_rules: what the server of Kubeflow Pipelines refuses in a package, found before it is sent."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from efficientmixnet.modules.exceptions import BadInput

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_TASK = re.compile(r"[a-zA-Z0-9][-a-zA-Z0-9]*")  # Argo's
_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "STRING": str,
    "NUMBER_INTEGER": (int, float),
    "NUMBER_DOUBLE": (int, float),
    "BOOLEAN": bool,
    "LIST": list,
    "STRUCT": dict,
}


def check_package(spec: Mapping[str, Any]) -> None:
    """Raises BadInput with everything that the server would refuse, or that would fail in its driver."""
    found = list(_faults(spec))
    if found:
        raise BadInput("\n  ".join(["the package would not run on Kubeflow Pipelines:", *found]))


def arguments(spec: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The root's parameters: what is given, and else the defaults.

    Raises:
        BadInput: a parameter is not in the package, is of another type, or is missing.
    """
    definitions = spec["root"].get("inputDefinitions", {}).get("parameters", {})
    for name, value in given.items():
        if name not in definitions:
            raise BadInput(f"--param {name}: the package has no such parameter, but {', '.join(sorted(definitions))}")
        kind = definitions[name]["parameterType"]
        if not isinstance(value, _TYPES[kind]) or isinstance(value, bool) != (kind == "BOOLEAN"):
            raise BadInput(f"--param {name}={value}: should be a {kind}")
    missing = sorted(name for name, one in definitions.items() if name not in given and "defaultValue" not in one)
    if missing:
        raise BadInput(f"--param {missing[0]}: has no default in the package; give its value")
    return {name: given.get(name, one.get("defaultValue")) for name, one in definitions.items()}


def parse_argument(text: str, spec: Mapping[str, Any]) -> tuple[str, Any]:
    """`name=value`, with the value as the package's parameter types have it."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise BadInput(f"--param {text}: give NAME=VALUE")
    definition = spec["root"].get("inputDefinitions", {}).get("parameters", {}).get(name, {})
    if definition.get("parameterType") in ("NUMBER_INTEGER", "NUMBER_DOUBLE"):
        try:
            return name, float(value)
        except ValueError:
            raise BadInput(f"--param {text}: {value!r} is no number") from None
    return name, value


def _faults(spec: Mapping[str, Any]) -> Iterator[str]:
    if spec.get("schemaVersion") != "2.1.0":
        yield f"schemaVersion: should be 2.1.0, not {spec.get('schemaVersion')}"
    name = spec.get("pipelineInfo", {}).get("name", "")
    if not _NAME.fullmatch(name):
        yield f"pipelineInfo.name: {name!r} should be lower-case letters, digits, hyphens and dots"
    if "dag" not in spec.get("root", {}):
        yield "root: has no dag"
        return
    executors, components = spec["deploymentSpec"]["executors"], spec["components"]
    for label, executor in executors.items():
        if not {"container", "importer"} & set(executor):
            yield f"deploymentSpec.executors.{label}: is neither a container nor an importer"
        elif not executor.get("container", {"image": "none"}).get("image"):
            yield f"deploymentSpec.executors.{label}: names no image"
    parameters = spec["root"].get("inputDefinitions", {}).get("parameters", {})
    tasks = spec["root"]["dag"]["tasks"]
    for name, task in tasks.items():
        yield from _task_faults(name, task, tasks, components, executors, parameters)


def _task_faults(
    name: str,
    task: Mapping[str, Any],
    tasks: Mapping[str, Any],
    components: Mapping[str, Any],
    executors: Mapping[str, Any],
    parameters: Mapping[str, Any],
) -> Iterator[str]:
    if not _TASK.fullmatch(name) or not task.get("taskInfo", {}).get("name"):
        yield f"task {name!r}: has no name that Argo takes"
    component = components.get(task["componentRef"]["name"])
    if component is None or component["executorLabel"] not in executors:
        yield f"task {name}: has no component, or no executor"
        return
    inputs = task.get("inputs", {})
    declared = component.get("inputDefinitions", {})
    for kind in ("parameters", "artifacts"):
        for key in inputs.get(kind, {}):
            if key not in declared.get(kind, {}):
                yield f"task {name}: {key} is none of the component's {kind}"
    for key, value in inputs.get("parameters", {}).items():
        if (parameter := value.get("componentInputParameter")) and parameter not in parameters:
            yield f"task {name}: {key} comes from the parameter {parameter}, which the package lacks"
    produced = [
        *(
            ("parameters", "outputParameterKey", one.get("taskOutputParameter"))
            for one in _values(inputs, "parameters")
        ),
        *(("artifacts", "outputArtifactKey", one.get("taskOutputArtifact")) for one in _values(inputs, "artifacts")),
    ]
    for kind, key, output in produced:
        if output is None:
            continue
        producer = tasks.get(output["producerTask"])
        if producer is None or output["producerTask"] not in task.get("dependentTasks", []):
            yield f"task {name}: takes something from {output['producerTask']}, on which it does not depend"
        elif output[key] not in components[producer["componentRef"]["name"]]["outputDefinitions"].get(kind, {}):
            yield f"task {name}: {output['producerTask']} puts out no {output[key]}"


def _values(inputs: Mapping[str, Any], kind: str) -> list[dict[str, Any]]:
    return list(inputs.get(kind, {}).values())
