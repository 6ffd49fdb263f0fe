"""Compares the metrics of a run with scikit-learn's on the same predictions.

python benchmarks/agreement.py OUTPUT      OUTPUT: an output folder with a run
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tensorflow_model_analysis as tfma
from rich.console import Console
from rich.table import Table
from sklearn import metrics

from efficientmixnet.components.report.predictions import PREDICTIONS_FILE, Predictions
from efficientmixnet.pipeline.runs.results import Results
from efficientmixnet.pipeline.runs.runs import read_summary


def compared(output: str) -> Iterator[tuple[str, float, float]]:
    """Returns each metric with our value and scikit-learn's. For matrices: the sum, and the number of differences."""
    summary = read_summary(output)
    evaluation = str(Results(Path(output, "metadata.sqlite")).uri("ModelEvaluation"))
    predictions = Predictions(f"{summary.evaluated}/{PREDICTIONS_FILE}")
    classes = range(len(predictions.labels))
    labels, probabilities = predictions.probabilities(classes)
    named = probabilities.argmax(axis=1)
    theirs = {
        "accuracy": metrics.accuracy_score(labels, named),
        "balanced_accuracy": metrics.balanced_accuracy_score(labels, named),
        "macro_f1": metrics.f1_score(labels, named, average="macro"),
        "top_3": metrics.top_k_accuracy_score(labels, probabilities, k=3, labels=classes),
        "loss": metrics.log_loss(labels, probabilities, labels=classes),
    }
    for name, value in theirs.items():
        yield f"TFMA's {name}", summary.metrics[name], float(value)
    expected = metrics.confusion_matrix(labels, named, labels=classes)
    yield "TFMA's confusion matrix", *_differing(_confusions(evaluation, len(classes)), expected)
    content = json.loads(Path(str(summary.evaluated), "content.json").read_text())
    if content["confusion"]:
        yield "the report's confusion matrix", *_differing(np.array(content["confusion"]), expected)
    ours = {row["name"]: row["value"] for row in content["metrics"]}
    area = metrics.roc_auc_score(labels, probabilities, multi_class="ovr", average="macro", labels=classes)
    for name, value in (theirs | {"auc": area}).items():
        yield f"the report's {name}", ours[name], float(value)


def _confusions(evaluation: str, classes: int) -> np.ndarray:
    """Returns TFMA's confusion matrix: images by label and predicted class."""
    (plots,) = (one for one in tfma.load_plots(evaluation) if not one.slice_key.single_slice_keys)
    found = np.zeros((classes, classes), int)
    for plot in plots.plot_keys_and_values:
        for matrix in plot.value.multi_class_confusion_matrix_at_thresholds.matrices[:1]:
            for entry in matrix.entries:
                found[entry.actual_class_id, entry.predicted_class_id] += int(entry.num_weighted_examples)
    return found


def _differing(ours: np.ndarray, theirs: np.ndarray) -> tuple[float, float]:
    return float(ours.sum() + np.abs(ours - theirs).sum()), float(theirs.sum())


def main() -> None:
    table = Table("metric", "ours", "scikit-learn's", "difference")
    for name, ours, theirs in compared(sys.argv[1]):
        table.add_row(name, f"{ours:.7f}", f"{theirs:.7f}", f"{abs(ours - theirs):.1e}")
    Console().print(table)


if __name__ == "__main__":
    main()
