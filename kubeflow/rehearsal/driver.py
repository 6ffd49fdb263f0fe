"""What the driver of Kubeflow Pipelines does before a task: executor_input and cache_key."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from efficientmixnet.kubeflow.rehearsal.metadata_and_cache import MetadataAndCache

LOGS = "executor-logs"  # an output that the driver adds to those of the component


@dataclass(frozen=True)
class Outcome:
    """How a task ended, and its outputs.

    Args:
        state: done, or from cache.
        artifacts: The number of each output artifact by name.
        parameters: The value of each output parameter by name.
        attempts: The number of attempts.
    """

    state: str
    artifacts: Mapping[str, str]
    parameters: Mapping[str, Any]
    attempts: int = 1


def executor_input(
    task: Mapping[str, Any],
    component: Mapping[str, Any],
    place: str,
    arguments: Mapping[str, Any],
    outcomes: Mapping[str, Outcome],
    records: MetadataAndCache,
) -> dict[str, Any]:
    """Returns a task's ExecutorInput, as the driver makes it: inputs without types, and one additional output.

    Args:
        task: The task in the PipelineSpec.
        component: The task's component.
        place: The URI of the folder for the outputs.
        arguments: The values of the package's parameters.
        outcomes: The outcomes of the tasks before this one.
        records: The artifacts of the tasks before this one.
    """

    def parameter(source: Mapping[str, Any]) -> Any:
        if "runtimeValue" in source:
            return source["runtimeValue"]["constant"]
        if "componentInputParameter" in source:
            return arguments[source["componentInputParameter"]]
        output = source["taskOutputParameter"]
        return outcomes[output["producerTask"]].parameters[output["outputParameterKey"]]

    def artifact(source: Mapping[str, Any]) -> dict[str, Any]:
        output = source["taskOutputArtifact"]
        return records.artifact(outcomes[output["producerTask"]].artifacts[output["outputArtifactKey"]])

    inputs = task.get("inputs", {})
    outputs = component.get("outputDefinitions", {})
    types = {name: one["artifactType"] for name, one in outputs.get("artifacts", {}).items()}
    types[LOGS] = {"schemaTitle": "system.Artifact"}
    return {
        "inputs": {
            "parameterValues": {name: parameter(one) for name, one in inputs.get("parameters", {}).items()},
            "artifacts": {name: {"artifacts": [artifact(one)]} for name, one in inputs.get("artifacts", {}).items()},
        },
        "outputs": {
            "artifacts": {
                name: {"artifacts": [{"name": name, "uri": f"{place}/{name}", "type": kind}]}
                for name, kind in types.items()
            },
            "parameters": {
                name: {"outputFile": f"/tmp/kfp/outputs/{name}"}  # noqa: S108  the launcher's folder
                for name in outputs.get("parameters", {})
            },
            "outputFile": f"{place}/output_metadata.json",
        },
    }


def cache_key(executor_input: Mapping[str, Any], container: Mapping[str, Any], claims: list[str]) -> str:
    """Returns the key of a task in the cache. It covers all inputs, but not where the task writes.

    Args:
        executor_input: The task's ExecutorInput.
        container: The task's container.
        claims: The PersistentVolumeClaims that the task mounts.
    """
    inputs, outputs = executor_input["inputs"], executor_input["outputs"]
    key = {
        "inputArtifactNames": {
            name: [artifact["name"] for artifact in listed["artifacts"]] for name, listed in inputs["artifacts"].items()
        },
        "inputParameterValues": inputs["parameterValues"],
        "outputArtifactsSpec": {
            name: {key: value for key, value in listed["artifacts"][0].items() if key != "uri"}
            for name, listed in outputs["artifacts"].items()
        },
        "outputParametersSpec": sorted(outputs["parameters"]),
        "containerSpec": [container["image"], container["command"], container["args"], sorted(set(claims))],
    }
    return hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
