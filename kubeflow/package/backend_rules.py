"""backend_rules: checks a package and its arguments as Kubeflow Pipelines does, before anything is sent."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.failures.unexpected import one_line
from efficientmixnet.pipeline.config.secrets_by_reference import refuse_secret

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_TASK = re.compile(r"[a-zA-Z0-9][-a-zA-Z0-9]*")  # Argo's rule
_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "STRING": str,
    "NUMBER_INTEGER": (int, float),
    "NUMBER_DOUBLE": (int, float),
    "BOOLEAN": bool,
    "LIST": list,
    "STRUCT": dict,
}


def check_package(spec: Mapping[str, Any]) -> None:
    """Checks a package.

    Args:
        spec: The PipelineSpec.

    Raises:
        BadInput: The server would refuse the package, or its driver would fail. The message lists every problem.
    """
    try:
        found = list(_problems(spec))
    except (KeyError, TypeError, AttributeError) as error:
        raise BadInput(f"the package is incomplete ({one_line(error)}); compile it again") from None
    if found:
        raise BadInput("\n  ".join(["Kubeflow Pipelines cannot run the package:", *found]))


def arguments(spec: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a value for each of the package's parameters.

    Args:
        spec: The PipelineSpec.
        given: Values that replace the defaults.

    Raises:
        BadInput: The package does not have a parameter, a value has the wrong type, or a value is missing.
    """
    definitions = spec["root"].get("inputDefinitions", {}).get("parameters", {})
    for name, value in given.items():
        if name not in definitions:
            raise BadInput(
                f"--param {name}: the package has no such parameter; give one of {', '.join(sorted(definitions))}"
            )
        kind = definitions[name]["parameterType"]
        if kind not in _TYPES:
            raise BadInput(f"--param {name}: the package gives it the unknown type {kind}")
        if not isinstance(value, _TYPES[kind]) or isinstance(value, bool) != (kind == "BOOLEAN"):
            raise BadInput(f"--param {name}={value}: should be of type {kind}")
    missing = sorted(name for name, one in definitions.items() if name not in given and "defaultValue" not in one)
    if missing:
        raise BadInput(f"--param {missing[0]}: has no default in the package; give a value")
    return {name: given.get(name, one.get("defaultValue")) for name, one in definitions.items()}


def parse_argument(text: str, spec: Mapping[str, Any]) -> tuple[str, Any]:
    """Splits `name=value`. The value is a number if the package's parameter is one.

    Args:
        text: The argument of --param.
        spec: The PipelineSpec.

    Raises:
        BadInput: The text has no `=`, or the value is not a number where the package needs one.
    """
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise BadInput(f"--param {text}: give NAME=VALUE")
    refuse_secret(f"--param {name}", value)
    definition = spec["root"].get("inputDefinitions", {}).get("parameters", {}).get(name, {})
    if definition.get("parameterType") in ("NUMBER_INTEGER", "NUMBER_DOUBLE"):
        try:
            return name, float(value)
        except ValueError:
            raise BadInput(f"--param {text}: {value!r} is not a number") from None
    return name, value


def _problems(spec: Mapping[str, Any]) -> Iterator[str]:
    if spec.get("schemaVersion") != "2.1.0":
        yield f"schemaVersion: should be 2.1.0, not {spec.get('schemaVersion')}"
    name = spec.get("pipelineInfo", {}).get("name", "")
    if not _NAME.fullmatch(name):
        yield f"pipelineInfo.name: {name!r} may have only lower-case letters, digits, hyphens and dots"
    if "dag" not in spec.get("root", {}):
        yield "root: has no tasks (dag)"
        return
    executors, components = spec["deploymentSpec"]["executors"], spec["components"]
    for label, executor in executors.items():
        if not {"container", "importer"} & set(executor):
            yield f"deploymentSpec.executors.{label}: must be a container or an importer"
        elif not executor.get("container", {"image": "none"}).get("image"):
            yield f"deploymentSpec.executors.{label}: has no container image"
    parameters = spec["root"].get("inputDefinitions", {}).get("parameters", {})
    tasks = spec["root"]["dag"]["tasks"]
    for name, task in tasks.items():
        yield from _task_problems(name, task, tasks, components, executors, parameters)


def _task_problems(
    name: str,
    task: Mapping[str, Any],
    tasks: Mapping[str, Any],
    components: Mapping[str, Any],
    executors: Mapping[str, Any],
    parameters: Mapping[str, Any],
) -> Iterator[str]:
    if not _TASK.fullmatch(name) or not task.get("taskInfo", {}).get("name"):
        yield f"task {name!r}: Argo needs a name of letters, digits and hyphens"
    component = components.get(task["componentRef"]["name"])
    if component is None or component["executorLabel"] not in executors:
        yield f"task {name}: its component or executor is missing"
        return
    inputs = task.get("inputs", {})
    declared = component.get("inputDefinitions", {})
    for kind in ("parameters", "artifacts"):
        for key in inputs.get(kind, {}):
            if key not in declared.get(kind, {}):
                yield f"task {name}: its component has no input {key} in {kind}"
    for key, value in inputs.get("parameters", {}).items():
        if (parameter := value.get("componentInputParameter")) and parameter not in parameters:
            yield f"task {name}: {key} needs the parameter {parameter}, which the package does not have"
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
            yield f"task {name}: uses an output of {output['producerTask']}, but does not depend on it"
        elif output[key] not in components[producer["componentRef"]["name"]]["outputDefinitions"].get(kind, {}):
            yield f"task {name}: {output['producerTask']} has no output {output[key]}"


def _values(inputs: Mapping[str, Any], kind: str) -> list[dict[str, Any]]:
    return list(inputs.get(kind, {}).values())
