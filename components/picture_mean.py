"""PictureMean: a TFMA metric of one label of many classes, the mean of a number that each picture has.

Keras's metrics give the same numbers; here TFMA would first convert their code, and then call them from Python for
every few pictures, which costs seconds in every run.
"""

from collections.abc import Callable, Mapping
from typing import Any

import apache_beam as beam
import numpy as np
import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.metrics import metric_types, metric_util

_SMALLEST = float(np.finfo(np.float32).eps)  # of a probability, since the logarithm of 0 is no number

# A picture's label [] and probabilities [classes] -> its number.
QUANTITIES: Mapping[str, Callable[[int, np.ndarray], float]] = {
    "accuracy": lambda label, probabilities: float(np.argmax(probabilities) == label),
    "loss": lambda label, probabilities: -float(np.log(max(probabilities[label], _SMALLEST))),
}


class PictureMean(tfma.metrics.Metric):
    """The mean over the pictures of a slice.

    Args:
        name: One of QUANTITIES: accuracy, or loss, the cross entropy.
    """

    def __init__(self, name: str) -> None:
        super().__init__(metric_util.merge_per_key_computations(_computations), name=name)


def _computations(
    name: str,
    eval_config: tfma.EvalConfig,
    model_name: str = "",
    output_name: str = "",
    example_weighted: bool = False,
) -> list[metric_types.MetricComputation]:
    key = metric_types.MetricKey(
        name=name, model_name=model_name, output_name=output_name, example_weighted=example_weighted
    )
    return [metric_types.MetricComputation(keys=[key], preprocessors=None, combiner=_Mean(key, eval_config))]


class _Mean(beam.CombineFn):
    """Sums a quantity and its weights: [2]."""

    def __init__(self, key: metric_types.MetricKey, eval_config: tfma.EvalConfig) -> None:
        self._key = key
        self._eval_config = eval_config

    def create_accumulator(self) -> np.ndarray:
        return np.zeros(2)

    def add_input(self, accumulator: np.ndarray, element: metric_types.StandardMetricInputs) -> np.ndarray:
        quantity = QUANTITIES[self._key.name]
        for label, probabilities, weight in metric_util.to_label_prediction_example_weight(
            element,
            eval_config=self._eval_config,
            model_name=self._key.model_name,
            output_name=self._key.output_name,
            example_weighted=self._key.example_weighted,
            flatten=False,
            require_single_example_weight=True,
        ):
            accumulator += np.array([quantity(int(label.item()), probabilities), 1.0]) * weight
        return accumulator

    def merge_accumulators(self, accumulators: Any) -> np.ndarray:
        return np.sum(list(accumulators), axis=0)

    def extract_output(self, accumulator: np.ndarray) -> dict[metric_types.MetricKey, float]:
        total, weight = accumulator
        return {self._key: total / weight if weight else float("nan")}
