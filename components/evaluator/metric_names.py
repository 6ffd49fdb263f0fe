"""The metrics of an evaluation: the name, title, meaning and direction of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

GatedMetric = Literal["accuracy", "top_3", "balanced_accuracy", "macro_f1", "loss", "calibration_error"]
"""The metrics that the configuration can set thresholds and tolerances for."""

GATED_METRICS: tuple[GatedMetric, ...] = get_args(GatedMetric)


@dataclass(frozen=True)
class MetricName:
    """How pages and tables present a metric."""

    title: str
    meaning: str
    lower_is_better: bool = False
    least_classes: int = 2  # with fewer classes, the value is always 1


METRICS: Mapping[str, MetricName] = {
    "accuracy": MetricName("accuracy", "fraction of images that are classified correctly"),
    "top_3": MetricName(
        "top-3 accuracy", "fraction of images whose true class is among the three most probable", least_classes=4
    ),
    "balanced_accuracy": MetricName(
        "balanced accuracy", "mean recall over the classes, so that small classes count as much as large ones"
    ),
    "macro_f1": MetricName("macro F1", "mean over the classes of the harmonic mean of precision and recall"),
    "loss": MetricName("log loss", "mean cross-entropy in nats; 0 is best", lower_is_better=True),
    "calibration_error": MetricName(
        "calibration error (ECE)", "mean difference between confidence and accuracy; 0 is best", lower_is_better=True
    ),
    "auc": MetricName(
        "ROC AUC, mean over classes",
        "probability that an image of a class gets a higher score for it than an image of another class",
    ),
}
