"""add_ui_outputs: declares artifacts beside TFX's own: those that the page of a run draws, and logs."""

from collections.abc import Mapping
from typing import Any

from efficientmixnet.kubeflow.entrypoint import LOG
from efficientmixnet.kubeflow.tasks.task import TASKS

# By task and output: the type, as Kubeflow's page knows it.
UI_OUTPUTS: Mapping[str, Mapping[str, str]] = {
    "StatisticsGen": {"data_page": "system.HTML"},
    "Report": {  # which merge_tasks moves into Evaluator
        "page": "system.HTML",
        "metrics": "system.Metrics",
        "classes": "system.ClassificationMetrics",
    },
    "Pusher": {"card": "system.Markdown"},
}
_VERSION = "0.0.1"  # of each of these types


def add_ui_outputs(spec: dict[str, Any]) -> None:
    """Adds the outputs to the components of a PipelineSpec, and a log to those of TFX."""
    for name, component in spec["components"].items():
        if name not in TASKS:
            component["outputDefinitions"]["artifacts"][LOG] = _type("system.Artifact")
    for task, outputs in UI_OUTPUTS.items():
        if task in spec["components"]:
            declared = spec["components"][task]["outputDefinitions"]["artifacts"]
            for name, kind in outputs.items():
                declared[name] = _type(kind)


def of_tfx(component: Mapping[str, Any]) -> list[str]:
    """Returns the names of the output artifacts that TFX knows."""
    declared = component.get("outputDefinitions", {}).get("artifacts", {})
    return sorted(name for name, one in declared.items() if "instanceSchema" in one["artifactType"])


def _type(kind: str) -> dict[str, Any]:
    return {"artifactType": {"schemaTitle": kind, "schemaVersion": _VERSION}}
