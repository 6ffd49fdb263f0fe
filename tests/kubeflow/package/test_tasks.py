"""The tasks of the package: their names, how they depend on each other, and what a page draws of them."""

from typing import Any

import pytest

from efficientmixnet.kubeflow.package.compile import compile_package
from efficientmixnet.pipeline.config.config import Config


@pytest.fixture(scope="module")
def lookup_tasks(config: Config) -> dict[str, Any]:
    """The tasks of a pipeline with drift, earlier spans and a warm start."""
    values = config.model_dump(mode="json")
    values["data"] |= {
        "images": "/mnt/images/day-{SPAN}", "training_spans": 3, "drift": {"image/class/text": 0.1},
    }  # fmt: skip
    values["network"]["weights"] = "latest"
    values["search"] = {"space": {"training.learning_rate": [0.01, 0.1]}}
    spec, *_ = compile_package(Config.model_validate(values), "oss")
    parameters = spec["root"]["inputDefinitions"]["parameters"]
    assert parameters.keys() == {"images", "manifest", "corrections", "max_left_out", "pushed"}
    return spec["root"]["dag"]["tasks"]


def _artifact(task: dict[str, Any], name: str) -> tuple[str, str]:
    """The task and the output from which an input comes."""
    source = task["inputs"]["artifacts"][name]["taskOutputArtifact"]
    return source["producerTask"], source["outputArtifactKey"]


def test_data_before_is_looked_up_in_every_run_for_drift(lookup_tasks: dict[str, Any]) -> None:
    tasks = lookup_tasks
    assert tasks["DataBefore"]["cachingOptions"] == {}
    assert tasks["DataBefore"]["inputs"]["parameters"] == {
        "records": {"runtimeValue": {"constant": "minio://mlpipeline/efficientmixnet/data/digits"}},
        "spans": {"runtimeValue": {"constant": 3}},
    }
    assert tasks["SchemaGen"]["inputs"]["parameters"]["ExampleValidator_previous"] == {
        "taskOutputParameter": {"producerTask": "DataBefore", "outputParameterKey": "before"}
    }


def test_transform_gets_the_earlier_spans(lookup_tasks: dict[str, Any]) -> None:
    tasks = lookup_tasks
    assert tasks["LatestSpans"]["inputs"]["parameters"] == {
        "earlier": {"taskOutputParameter": {"producerTask": "DataBefore", "outputParameterKey": "earlier"}}
    }
    assert _artifact(tasks["LatestSpans"], "now") == ("ImageExampleGen", "examples")
    assert _artifact(tasks["Transform"], "examples") == ("LatestSpans", "examples")
    for name in ("StatisticsGen", "Evaluator", "ServingCheck"):  # these use only the present span
        assert _artifact(tasks[name], "examples") == ("ImageExampleGen", "examples")
    assert tasks["LatestSpans"]["cachingOptions"] == {"enableCache": True}


def test_training_starts_from_the_newest_pushed_model(lookup_tasks: dict[str, Any]) -> None:
    tasks = lookup_tasks
    assert tasks["PushedBefore"]["cachingOptions"] == {}
    assert tasks["PushedBefore"]["inputs"]["parameters"] == {"pushed": {"componentInputParameter": "pushed"}}
    # In the schema's metadata, the launcher writes how to reach the store.
    assert _artifact(tasks["PushedBefore"], "schema") == ("SchemaGen", "schema")
    for name in ("Tuner", "Trainer"):
        assert tasks[name]["cachingOptions"] == {"enableCache": True}
        assert tasks[name]["inputs"]["parameters"]["base_model"] == {
            "taskOutputParameter": {"producerTask": "PushedBefore", "outputParameterKey": "latest"}
        }
    # The baseline is looked up after training.
    assert tasks["Evaluator"]["inputs"]["parameters"]["baseline_model"] == {
        "taskOutputParameter": {"producerTask": "LatestPushed", "outputParameterKey": "latest"}
    }


def test_a_task_depends_on_the_tasks_whose_parameters_it_uses(tasks: dict[str, Any]) -> None:
    assert tasks["ImageExampleGen"]["inputs"]["parameters"]["fingerprint"] == {
        "taskOutputParameter": {"producerTask": "DataVersion", "outputParameterKey": "fingerprint"}
    }
    assert tasks["ImageExampleGen"]["dependentTasks"] == ["DataVersion"]
    assert "LatestPushed" in tasks["Evaluator"]["dependentTasks"]


def test_only_lookups_and_the_push_are_never_cached(tasks: dict[str, Any]) -> None:
    never = {name for name, task in tasks.items() if not task["cachingOptions"].get("enableCache")}
    assert never == {"DataVersion", "LatestPushed", "Pusher"}


def _longest(tasks: dict[str, Any], name: str) -> int:
    return 1 + max((_longest(tasks, before) for before in tasks[name].get("dependentTasks", [])), default=0)


def test_the_chain_of_tasks_is_short(tasks: dict[str, Any]) -> None:
    """Each task costs a cluster 10 to 20 seconds."""
    assert len(tasks) == 9
    assert max(_longest(tasks, name) for name in tasks) == 8


def test_the_model_is_checked_beside_its_evaluation(tasks: dict[str, Any]) -> None:
    assert "Evaluator" not in tasks["ServingCheck"]["dependentTasks"]
    assert {"Evaluator", "ServingCheck"} <= set(tasks["Pusher"]["dependentTasks"])


def test_the_page_of_a_run_gets_something_to_draw(spec: dict[str, Any]) -> None:
    declared = {
        f"{name}.{output}": one["artifactType"]["schemaTitle"]
        for name, component in spec["components"].items()
        for output, one in component["outputDefinitions"]["artifacts"].items()
        if "schemaTitle" in one["artifactType"] and output != "log"
    }
    assert declared == {
        "StatisticsGen.data_page": "system.HTML",
        "Evaluator.page": "system.HTML",
        "Evaluator.metrics": "system.Metrics",
        "Evaluator.classes": "system.ClassificationMetrics",
        "Pusher.card": "system.Markdown",
    }
