"""use_own_tasks: changes TFX's package so that the cluster's own tasks run without TFX.

A task that looks up an artifact of an earlier run passes only its URI. The tasks that use it fetch it in their own pods
(kubeflow/fetched_inputs.py), so that no task only copies it.
"""

import json
from collections.abc import Mapping
from typing import Any

from efficientmixnet.kubeflow.tasks.task import TASKS
from efficientmixnet.modules.exported_model import SERVING_FOLDER

_STRING = {"parameterType": "STRING"}
# By looked-up output: the parameter with its URI, the folder in it for the files, and the user's input whose properties
# it gets.
_FETCHED: Mapping[tuple[str, str], tuple[str, str, str]] = {
    ("LatestPushed", "model"): ("latest", SERVING_FOLDER, ""),
    ("PushedBefore", "model"): ("latest", SERVING_FOLDER, ""),
    ("DataBefore", "previous"): ("before", "", "statistics"),
}
_PARAMETERS = ("fingerprint", "latest", "before", "earlier")  # outputs that other tasks get as parameters


def use_own_tasks(spec: dict[str, Any]) -> None:
    """Changes the PipelineSpec.

    Args:
        spec: The PipelineSpec, as TFX compiles it.
    """
    tasks, components = spec["root"]["dag"]["tasks"], spec["components"]
    for name, task in tasks.items():
        if fetched := _pass_uris(task, components[name]):
            _container(spec, name)["args"][:0] = ["--fetched", json.dumps(fetched, sort_keys=True)]
    for name, module in TASKS.items():
        if name in tasks:
            _container(spec, name)["args"] = ["--task", module, "--json_serialized_invocation_args", "{{$}}"]
            outputs = components[name]["outputDefinitions"]
            outputs["artifacts"] = {
                key: one for key, one in outputs["artifacts"].items() if (name, key) not in _FETCHED
            }
            found = [key for key in outputs["artifacts"] if key in _PARAMETERS]
            outputs |= {"parameters": dict.fromkeys(found, _STRING)} if found else {}


def _pass_uris(task: dict[str, Any], component: dict[str, Any]) -> dict[str, Any]:
    """Replaces each looked-up input artifact by a parameter. Returns how to fetch it, by its name."""
    inputs, fetched = task.get("inputs", {}), {}
    for key, source in list(inputs.get("artifacts", {}).items()):
        producer = source["taskOutputArtifact"]["producerTask"]
        looked_up = _FETCHED.get((producer, source["taskOutputArtifact"]["outputArtifactKey"]))
        if looked_up is None:
            continue
        parameter, folder, like = looked_up
        del inputs["artifacts"][key]
        inputs.setdefault("parameters", {})[key] = {
            "taskOutputParameter": {"producerTask": producer, "outputParameterKey": parameter}
        }
        del component["inputDefinitions"]["artifacts"][key]
        component["inputDefinitions"].setdefault("parameters", {})[key] = _STRING
        fetched[key] = {"folder": folder, "like": like}
    return fetched


def _container(spec: dict[str, Any], name: str) -> dict[str, Any]:
    executor = spec["components"][name]["executorLabel"]
    return dict(spec["deploymentSpec"]["executors"][executor])["container"]
