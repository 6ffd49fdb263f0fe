"""The components of a merged task run one after the other, each with its own inputs and outputs."""

import json
from typing import Any

import pytest

from efficientmixnet.kubeflow import stages

RUN = "minio://bucket/run/StatisticsGen/1"
STAGES = [
    {"name": "SchemaGen", "arguments": ["--executor_class_path", "schema"], "inputs": {"statistics": "statistics"},
     "outputs": ["schema"], "shared": {}},
    {"name": "ExampleValidator", "arguments": ["--executor_class_path", "validator"],
     "inputs": {"statistics": "statistics", "schema": "schema"}, "outputs": ["anomalies"],
     "shared": {"artifacts": {"images": "examples"}, "parameters": {"splits": "exclude_splits"}}},
]  # fmt: skip


def _output(name: str) -> dict[str, Any]:
    return {"artifacts": [{"name": name, "uri": f"{RUN}/{name}"}]}


INVOCATION: dict[str, Any] = {
    "inputs": {
        "parameterValues": {
            "exclude_splits": "[]",
            "SchemaGen_exclude_splits": "[1]",
            "ExampleValidator_previous": "none",
        },
        "artifacts": {"examples": {"artifacts": [{"uri": "minio://bucket/examples"}]}},
    },
    "outputs": {
        "artifacts": {name: _output(name) for name in ("statistics", "schema", "anomalies", "log")},
        "outputFile": f"{RUN}/output.json",
    },
}


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], dict[str, Any]]]:
    """What each component gets. Each makes its outputs, with its number as a property."""
    found: list[tuple[list[str], dict[str, Any]]] = []
    makes = [["statistics"], ["schema"], ["anomalies"]]

    def execute(arguments: list[str], invocation: dict[str, Any]) -> dict[str, Any]:
        found.append((list(arguments), invocation))
        made = {"uri": f"{RUN}/{makes[len(found) - 1][0]}", "metadata": {"number": len(found)}}
        return {"artifacts": {makes[len(found) - 1][0]: {"artifacts": [made]}}}

    monkeypatch.setattr(stages, "execute", execute)
    return found


def test_each_component_gets_its_parameters_and_the_artifacts_before_it(sent: Any) -> None:
    arguments = ["--stages", json.dumps(STAGES), "--json_serialized_invocation_args", "{}"]
    report = stages.execute_stages(arguments, INVOCATION)
    first, second, third = (invocation for _, invocation in sent)
    assert first["inputs"]["parameterValues"] == {"exclude_splits": "[]"}
    assert second["inputs"]["parameterValues"] == {"exclude_splits": "[1]"}
    assert third["inputs"]["parameterValues"] == {"previous": "none", "splits": "[]"}
    assert list(second["inputs"]["artifacts"]) == ["statistics"]
    images = third["inputs"]["artifacts"].pop("images")
    assert images == INVOCATION["inputs"]["artifacts"]["examples"]
    assert {name: one["artifacts"][0]["metadata"]["number"] for name, one in third["inputs"]["artifacts"].items()} == {
        "statistics": 1,
        "schema": 2,
    }
    assert list(third["outputs"]["artifacts"]) == ["anomalies"]
    assert third["outputs"]["outputFile"] == f"{RUN}/output.json-ExampleValidator"
    assert sent[1][0][:2] == ["--executor_class_path", "schema"]
    assert list(report["artifacts"]) == ["statistics", "schema", "anomalies"]
