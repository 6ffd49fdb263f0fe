"""Evaluator: TFMA measures the model on the evaluation split and blesses what passes the gate."""

import json
from collections.abc import Mapping
from typing import Any

import tensorflow_model_analysis as tfma
from tfx import v1 as tfx

from efficientmixnet.modules import features

# Each metric by the name that the configuration and the summary use.
METRICS: Mapping[str, tfma.MetricConfig] = {
    name: tfma.MetricConfig(
        class_name="PictureMean", module="efficientmixnet.components.picture_mean", config=json.dumps({"name": name})
    )
    for name in ("accuracy", "loss")
}
_HIGHER_IS_BETTER = frozenset({"accuracy"})


def evaluator(
    examples: tfx.types.BaseChannel,
    model: tfx.types.BaseChannel,
    baseline_model: tfx.types.BaseChannel,
    schema: tfx.types.BaseChannel,
    thresholds: Mapping[Any, float],
    tolerances: Mapping[Any, float],
) -> tfx.components.Evaluator:
    """Compares with the bounds and with the baseline.

    Args:
        thresholds: A metric's worst value that is blessed.
        tolerances: How much worse than the baseline's a metric may be.
    """
    metrics = [_gated(name, metric, thresholds.get(name), tolerances.get(name)) for name, metric in METRICS.items()]
    metrics += [
        tfma.MetricConfig(class_name="ExampleCount"),
        tfma.MetricConfig(class_name="MultiClassConfusionMatrixPlot"),
    ]
    config = tfma.EvalConfig(
        model_specs=[
            tfma.ModelSpec(
                signature_name="serving_examples",
                preprocessing_function_names=["transform_features"],
                prediction_key=features.PROBABILITIES,
                label_key=features.LABEL_ID,
            )
        ],
        slicing_specs=[tfma.SlicingSpec(), tfma.SlicingSpec(feature_keys=[features.LABEL])],
        metrics_specs=[tfma.MetricsSpec(metrics=metrics)],
    )
    return tfx.components.Evaluator(
        examples=examples,
        example_splits=["eval"],
        model=model,
        baseline_model=baseline_model,
        schema=schema,
        eval_config=config,
    )


def _gated(name: str, metric: tfma.MetricConfig, worst: float | None, tolerance: float | None) -> tfma.MetricConfig:
    """The metric with its bounds, over all pictures."""
    higher = name in _HIGHER_IS_BETTER
    threshold = tfma.MetricThreshold()
    if worst is not None:
        bound = {"lower_bound": {"value": worst}} if higher else {"upper_bound": {"value": worst}}
        threshold.value_threshold.CopyFrom(tfma.GenericValueThreshold(**bound))
    if tolerance is not None:
        direction = tfma.MetricDirection.HIGHER_IS_BETTER if higher else tfma.MetricDirection.LOWER_IS_BETTER
        allowed = -tolerance if higher else tolerance
        threshold.change_threshold.CopyFrom(
            tfma.GenericChangeThreshold(direction=direction, absolute={"value": allowed})
        )
    gated = tfma.MetricConfig()
    gated.CopyFrom(metric)
    if worst is not None or tolerance is not None:
        # TFMA would hold every slice to a plain threshold, and a class with three pictures is soon below it.
        gated.per_slice_thresholds.add(slicing_specs=[tfma.SlicingSpec()], threshold=threshold)
    return gated
