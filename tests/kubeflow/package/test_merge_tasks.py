"""Tests of merge_tasks."""

import copy
import json
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


def test_the_report_writes_what_the_page_draws(containers: dict[str, Any]) -> None:
    arguments = containers["Evaluator"]["args"]
    (report,) = json.loads(arguments[arguments.index("--stages") + 1])
    assert {"page", "metrics", "classes", "report"} <= set(report["outputs"])


def test_merged_tasks_keep_their_inputs_and_outputs(spec: dict[str, Any], containers: dict[str, Any]) -> None:
    merged = spec["components"]["StatisticsGen"]
    assert {"statistics", "schema", "anomalies"} <= merged["outputDefinitions"]["artifacts"].keys()
    arguments = containers["StatisticsGen"]["args"]
    stages = arguments[arguments.index("--stages") + 1]
    schema_gen, validator = json.loads(stages)
    assert json.dumps(json.loads(stages), sort_keys=True) == stages  # always the same, or the cache would not be used
    assert (schema_gen["name"], schema_gen["inputs"]) == ("SchemaGen", {"statistics": "statistics"})
    assert (validator["inputs"], validator["outputs"]) == (
        {"statistics": "statistics", "schema": "schema"},
        ["anomalies"],
    )


def test_a_merged_task_shares_inputs_that_come_from_the_same_place(
    spec: dict[str, Any], containers: dict[str, Any]
) -> None:
    """The launcher would otherwise copy the images and the model twice."""
    arguments = containers["Evaluator"]["args"]
    [report] = json.loads(arguments[arguments.index("--stages") + 1])
    assert report["shared"] == {
        "artifacts": {"examples": "examples", "model": "model"},
        "parameters": {"baseline_model": "baseline_model"},
    }
    assert report["inputs"] == {"evaluation": "evaluation"}
    inputs = spec["components"]["Evaluator"]["inputDefinitions"]
    assert {key for key in inputs["artifacts"] if key.startswith("Report_")} == {
        "Report_model_run",
        "Report_statistics",
    }
