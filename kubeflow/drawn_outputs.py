"""draw: writes what the page of a run in Kubeflow draws, from TFX's outputs (package/ui_outputs.py).

The page shows HTML as it is in the file. It reads metrics, confusion matrices and curves from the artifact's metadata.
"""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from efficientmixnet.components.report.page import CONTENT_FILE, PAGE_FILE
from efficientmixnet.kubeflow.launcher_paths import to_path
from efficientmixnet.modules.files.whole_file import write_text

_POINTS = 100  # of a curve
_MOST_CLASSES = 50  # of a confusion matrix; the database refuses values of more than some megabytes
_METRICS = {"accuracy": "accuracy", "macro_f1": "macro F1", "loss": "loss", "calibration_error": "calibration error"}


def draw(outputs: Mapping[str, Any], report: Mapping[str, Any]) -> dict[str, Any]:
    """Writes the outputs of this component that the page draws.

    Args:
        outputs: The outputs of the ExecutorInput.
        report: TFX's ExecutorOutput.

    Returns:
        The artifacts for the ExecutorOutput.
    """
    written = {}
    for name, listed in outputs.get("artifacts", {}).items():
        source, write = _WRITERS.get(name, ("", None))
        if write and source in report.get("artifacts", {}):
            (artifact,) = listed["artifacts"]
            folder = Path(to_path(report["artifacts"][source]["artifacts"][0]["uri"]))
            metadata = write(folder, Path(to_path(artifact["uri"])))
            written[name] = {"artifacts": [{"name": name, "uri": artifact["uri"], "metadata": metadata}]}
    return written


def _page(report: Path, file: Path) -> dict[str, Any]:
    file.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(report / PAGE_FILE, file)
    return {}


def _metrics(report: Path, _: Path) -> dict[str, Any]:
    content = json.loads((report / CONTENT_FILE).read_text())
    values = {one["name"]: one["value"] for one in content["metrics"]}
    found = {title: values.get(name) for name, title in _METRICS.items()}
    return {
        **{title: value for title, value in found.items() if value is not None},
        "images": content["images_evaluated"],
        "blessed": int(content["verdict"]["blessed"]),
    }


def _classes(report: Path, _: Path) -> dict[str, Any]:
    from efficientmixnet.components.report.predictions import PREDICTIONS_FILE, Predictions

    content = json.loads((report / CONTENT_FILE).read_text())
    labels = [one["label"] for one in content["classes"]]
    found: dict[str, Any] = {}
    if content["confusion"] and len(labels) <= _MOST_CLASSES:
        found["confusionMatrix"] = {
            "annotationSpecs": [{"displayName": label} for label in labels],
            "rows": [{"row": row} for row in content["confusion"]],
        }
    if len(labels) == 2:
        found["confidenceMetrics"] = list(_curve(Predictions(report / PREDICTIONS_FILE)))
    return found


def _curve(predictions: Any) -> Iterator[dict[str, float]]:
    """Yields points of the ROC curve of the second class."""
    from sklearn.metrics import roc_curve

    truth, probabilities = predictions.probabilities([1])
    false_positive, recall, thresholds = roc_curve(truth == 1, probabilities[:, 0])
    for number in np.unique(np.linspace(0, len(thresholds) - 1, _POINTS).astype(int)):
        yield {
            "confidenceThreshold": min(float(thresholds[number]), 1.0),  # The first one is infinite.
            "recall": float(recall[number]),
            "falsePositiveRate": float(false_positive[number]),
        }


def _data_page(statistics: Path, file: Path) -> dict[str, Any]:
    """Writes the statistics of the training split."""
    from tensorflow_metadata.proto.v0 import statistics_pb2

    from efficientmixnet.pipeline.inspection.statistics_view import view_of

    content = (statistics / "Split-train" / "FeatureStats.pb").read_bytes()
    (dataset,) = statistics_pb2.DatasetFeatureStatisticsList.FromString(content).datasets
    file.parent.mkdir(parents=True, exist_ok=True)
    write_text(file, view_of("the split train", dataset))
    return {}


# By output: the output of TFX from which it is made, and a function that writes it and returns the metadata.
_WRITERS: Mapping[str, tuple[str, Callable[[Path, Path], dict[str, Any]]]] = {
    "page": ("report", _page),
    "metrics": ("report", _metrics),
    "classes": ("report", _classes),
    "data_page": ("statistics", _data_page),
}
