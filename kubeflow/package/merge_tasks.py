"""merge_tasks: lets tasks that always follow each other run in one pod, one after the other (kubeflow/stages.py).

Each pod costs a cluster 10 to 20 seconds, and the import of TFX costs as much again.
"""

import json
from collections.abc import Iterator, Mapping
from operator import itemgetter
from typing import Any

from efficientmixnet.kubeflow.entrypoint import LOG

_Spec = dict[str, Any]
_INVOCATION = ["--json_serialized_invocation_args", "{{$}}"]


def merge_tasks(spec: _Spec) -> None:
    """Merges tasks in the PipelineSpec. The first task of a group keeps its name."""
    for first, *others in _groups(spec["root"]["dag"]["tasks"]):
        stages = [_move(spec, name, first, [first, *others]) for name in others]
        spec["deploymentSpec"]["executors"][spec["components"][first]["executorLabel"]]["container"]["args"] += [
            "--stages",
            json.dumps(stages, sort_keys=True),
        ]


def _groups(tasks: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    if "DataBefore" in tasks:  # it runs between the statistics and their validation
        yield "SchemaGen", "ExampleValidator"
    else:
        yield "StatisticsGen", "SchemaGen", "ExampleValidator"
    yield "Evaluator", "Report"


def _move(spec: _Spec, name: str, into: str, group: list[str]) -> dict[str, Any]:
    """Moves a task into another one. Returns what kubeflow/stages.py needs to run it."""
    tasks, components = spec["root"]["dag"]["tasks"], spec["components"]
    task, component = tasks.pop(name), components.pop(name)
    container = spec["deploymentSpec"]["executors"].pop(component["executorLabel"])["container"]
    inputs: dict[str, str] = {}
    shared: dict[str, dict[str, str]] = {}
    for kind in ("artifacts", "parameters"):
        for key, source in _in_order(task, kind):
            output = source.get("taskOutputArtifact", {})
            if output.get("producerTask") in group:
                inputs[key] = output["outputArtifactKey"]
                continue
            if same := _same(tasks[into], kind, source):  # The launcher would copy it twice.
                shared.setdefault(kind, {})[key] = same
                continue
            outer = f"{name}_{key}"
            tasks[into].setdefault("inputs", {}).setdefault(kind, {})[outer] = source
            declared = components[into].setdefault("inputDefinitions", {}).setdefault(kind, {})
            declared[outer] = component["inputDefinitions"][kind][key]
    outputs = component["outputDefinitions"]["artifacts"]
    components[into]["outputDefinitions"]["artifacts"] |= outputs
    _redirect(tasks, name, into)
    needed = {*tasks[into].get("dependentTasks", []), *task.get("dependentTasks", [])} - set(group)
    tasks[into]["dependentTasks"] = sorted(needed)
    arguments = [word for word in container["args"] if word not in _INVOCATION]
    return {
        "name": name,
        "arguments": arguments,
        "inputs": inputs,
        "shared": shared,
        "outputs": sorted(set(outputs) - {LOG}),
    }


def _same(task: Mapping[str, Any], kind: str, source: Mapping[str, Any]) -> str | None:
    """Returns the name of the task's input from the same source, or None."""
    return next((key for key, one in _in_order(task, kind) if one == source), None)


def _in_order(task: Mapping[str, Any], kind: str) -> list[tuple[str, Any]]:
    """The task's inputs. The order of protobuf's maps varies, and another package misses the cache."""
    return sorted(task.get("inputs", {}).get(kind, {}).items(), key=itemgetter(0))


def _redirect(tasks: Mapping[str, Any], name: str, into: str) -> None:
    """Makes the tasks that use outputs of a moved task use those of the other one."""
    for task in tasks.values():
        for sources in task.get("inputs", {}).values():
            for source in sources.values():
                for output in (source.get("taskOutputArtifact"), source.get("taskOutputParameter")):
                    if output and output["producerTask"] == name:
                        output["producerTask"] = into
        if name in task.get("dependentTasks", []):
            task["dependentTasks"] = sorted({*task["dependentTasks"], into} - {name})
