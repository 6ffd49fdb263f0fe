"""ClassCounts: TFMA metrics of a classifier, all computed from one set of counts.

TFMA's metrics count a confusion matrix for every class and threshold, and name classes by number. Keras's metrics are
converted first and then called for a few images at a time, which costs seconds in every run.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import apache_beam as beam
import numpy as np
import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.metrics import metric_types, metric_util
from tensorflow_model_analysis.proto import config_pb2

from efficientmixnet.components.evaluator.measures import BINS, ByClass, Reliability, bin_of
from efficientmixnet.modules.exceptions import BadInput

_COUNTS = "_class_counts"  # TFMA does not write metrics whose names start with an underscore
_SMALLEST = float(np.finfo(np.float32).eps)  # probability, since the logarithm of 0 is infinite


class _Counts:
    """Weighted counts by class [3, classes] (see ByClass) and by confidence [3, BINS] (see Reliability)."""

    def __init__(self) -> None:
        self.by_class = np.zeros((3, 0))
        self.by_confidence = np.zeros((3, BINS))
        self.in_top_3 = 0.0
        self.cross_entropy = 0.0  # nats

    @property
    def images(self) -> float:
        """The sum of the images' weights."""
        return float(self.by_class[0].sum())

    def add(self, label: int, probabilities: np.ndarray, weight: float) -> None:
        """Counts an image with this label [] and these probabilities [classes]."""
        if not self.by_class.size:
            self.by_class = np.zeros((3, len(probabilities)))
        predicted = int(np.argmax(probabilities))
        correct = predicted == label
        self.by_class[0, label] += weight
        self.by_class[1, predicted] += weight
        self.by_class[2, label] += weight * correct
        confidence = probabilities[predicted]
        self.by_confidence[:, bin_of(confidence)] += np.array([1.0, confidence, correct]) * weight
        more_probable = int(np.count_nonzero(probabilities > probabilities[label]))
        self.in_top_3 += weight * (correct or max(more_probable, 1) < 3)
        self.cross_entropy -= weight * float(np.log(max(probabilities[label], _SMALLEST)))

    def __iadd__(self, other: "_Counts") -> "_Counts":
        if not self.by_class.size:
            self.by_class = other.by_class.copy()
        elif other.by_class.size:
            self.by_class += other.by_class
        self.by_confidence += other.by_confidence
        self.in_top_3 += other.in_top_3
        self.cross_entropy += other.cross_entropy
        return self


_FORMULAS: Mapping[str, Callable[[_Counts], float]] = {
    "accuracy": lambda counts: counts.by_class[2].sum() / counts.images,
    "loss": lambda counts: counts.cross_entropy / counts.images,
    "top_3": lambda counts: counts.in_top_3 / counts.images,
    "balanced_accuracy": lambda counts: ByClass(*counts.by_class).balanced_accuracy,
    "macro_f1": lambda counts: ByClass(*counts.by_class).macro_f1,
    "calibration_error": lambda counts: Reliability(*counts.by_confidence).calibration_error,
}


class ClassCounts(tfma.metrics.Metric):
    """A metric over the images of a slice. All metrics of a slice share one pass over its images.

    Args:
        name: One of metric_names.GATED_METRICS.
    """

    def __init__(self, name: str) -> None:
        super().__init__(metric_util.merge_per_key_computations(_computations), name=name)


def _computations(
    name: str,
    eval_config: config_pb2.EvalConfig,
    model_name: str = "",
    output_name: str = "",
    example_weighted: bool = False,
) -> list[metric_types.MetricComputation | metric_types.DerivedMetricComputation]:
    def key(of: str) -> metric_types.MetricKey:
        return metric_types.MetricKey(
            name=of, model_name=model_name, output_name=output_name, example_weighted=example_weighted
        )

    counts, metric = key(_COUNTS), key(name)

    def result(metrics: Mapping[metric_types.MetricKey, Any]) -> dict[metric_types.MetricKey, float]:
        counted = metrics[counts]
        if name == "macro_f1" and np.count_nonzero(counted.by_class[0]) == 1:
            return {}  # The other classes could only lower it, so within a label it says nothing.
        return {metric: _FORMULAS[name](counted) if counted.by_class.size else float("nan")}

    return [
        metric_types.MetricComputation(keys=[counts], preprocessors=None, combiner=_Count(counts, eval_config)),
        metric_types.DerivedMetricComputation(keys=[metric], result=result),
    ]


def _weight(value: float | bytes) -> float:
    """Returns the weight as a number; the columns of a manifest are text."""
    try:
        weight = float(value)
    except ValueError:
        weight = math.nan
    if not 0 <= weight < math.inf:
        given = value.decode(errors="replace") if isinstance(value, bytes) else value
        raise BadInput(f"evaluation.weight: {given!r} is not a weight. Give each image a number of 0 or more.")
    return weight


class _Count(beam.CombineFn):
    def __init__(self, key: metric_types.MetricKey, eval_config: config_pb2.EvalConfig) -> None:
        self._key = key
        self._eval_config = eval_config

    def create_accumulator(self) -> _Counts:
        return _Counts()

    def add_input(self, accumulator: _Counts, element: metric_types.StandardMetricInputs) -> _Counts:
        for label, probabilities, weight in metric_util.to_label_prediction_example_weight(
            element,
            eval_config=self._eval_config,
            model_name=self._key.model_name,
            output_name=self._key.output_name,
            example_weighted=self._key.example_weighted,
            flatten=False,
            require_single_example_weight=True,
        ):
            accumulator.add(int(label.item()), probabilities, _weight(weight.item()))
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[_Counts]) -> _Counts:
        merged = _Counts()
        for one in accumulators:
            merged += one
        return merged

    def extract_output(self, accumulator: _Counts) -> dict[metric_types.MetricKey, _Counts]:
        return {self._key: accumulator}
