"""Tests of merge_tasks."""

import copy
from typing import Any

from efficientmixnet.kubeflow.package.merge_tasks import merge_tasks


def _spec() -> dict[str, Any]:
    """A PipelineSpec whose tasks Evaluator and Report have several parameters with the same value."""
    parameters = {
        "Evaluator": {"limit": "{}", "name": "digits"},
        "Report": {"drift": "[]", "skew": "[]", "served": "{}"},
    }
    spec: dict[str, Any] = {"components": {}, "deploymentSpec": {"executors": {}}, "root": {"dag": {"tasks": {}}}}
    for number, task in enumerate(("StatisticsGen", "SchemaGen", "ExampleValidator", "Evaluator", "Report")):
        values = parameters.get(task, {})
        spec["root"]["dag"]["tasks"][task] = {
            "inputs": {"parameters": {key: {"runtimeValue": {"constant": value}} for key, value in values.items()}}
        }
        spec["components"][task] = {
            "executorLabel": f"executor-{number}",
            "inputDefinitions": {"parameters": {key: {"parameterType": "STRING"} for key in values}},
            "outputDefinitions": {"artifacts": {}},
        }
        spec["deploymentSpec"]["executors"][f"executor-{number}"] = {"container": {"args": [task]}}
    return spec


def test_the_order_of_the_parameters_changes_nothing() -> None:
    spec, reordered = _spec(), copy.deepcopy(_spec())
    inputs = reordered["root"]["dag"]["tasks"]["Report"]["inputs"]
    inputs["parameters"] = dict(reversed(inputs["parameters"].items()))
    merge_tasks(spec)
    merge_tasks(reordered)
    assert spec == reordered


def test_parameters_with_the_same_value_are_passed_once() -> None:
    spec = _spec()
    merge_tasks(spec)
    (evaluator,) = (task for name, task in spec["root"]["dag"]["tasks"].items() if name == "Evaluator")
    assert {key: one["runtimeValue"]["constant"] for key, one in evaluator["inputs"]["parameters"].items()} == {
        "limit": "{}",
        "name": "digits",
        "Report_drift": "[]",
    }
