"""Evaluator: TFMA measures the model on the evaluation split, and what passes the gate is blessed."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf
import tensorflow_model_analysis as tfma
from google.protobuf import json_format
from tensorflow_model_analysis.proto import config_pb2
from tfx import types
from tfx import v1 as tfx
from tfx.components.evaluator import constants, executor
from tfx.dsl.components.base import executor_spec
from tfx.types import artifact_utils

from efficientmixnet.components.evaluator import gate
from efficientmixnet.components.evaluator.class_counts import MEASURES, ClassCounts
from efficientmixnet.modules import features
from efficientmixnet.modules.exceptions import BadInput

# Each metric by the name that the configuration and the summary use.
METRICS: Mapping[str, tfma.MetricConfig] = {
    name: tfma.MetricConfig(
        class_name=ClassCounts.__name__, module=ClassCounts.__module__, config=json.dumps({"name": name})
    )
    for name in MEASURES
}
_LOWER_IS_BETTER = frozenset({"loss", "calibration_error"})


class _Executor(executor.Executor):
    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        config = json_format.Parse(exec_properties["eval_config"], tfma.EvalConfig())
        (examples,) = input_dict["examples"]
        _check_weight(config.model_specs[0].example_weight_key, examples)
        measured = json_format.MessageToJson(gate.overall_alone(config), preserving_proto_field_name=True)
        try:
            super().Do(input_dict, output_dict, {**exec_properties, "eval_config": measured})
        except RuntimeError as error:
            if found := _bad_input_behind(error):
                raise found from error
            raise
        evaluation = artifact_utils.get_single_uri(output_dict["evaluation"])
        verdict = gate.judge(evaluation, config)
        verdict.write(evaluation)
        (blessing,) = output_dict["blessing"]
        blessing.set_string_custom_property("reason", verdict.reason)
        if not verdict.blessed:  # TFMA may have blessed it for what it knows, the images as a whole
            _write_refusal(blessing)


def _check_weight(weight: str, examples: types.Artifact) -> None:
    """TFMA would take every image for 1 that has no weight. What one has of a source, all have."""
    if not weight:
        return
    (split,) = artifact_utils.get_split_uris([examples], "eval")
    files = [f"{split}/{name}" for name in tfx.dsl.io.fileio.listdir(split)]
    for record in tf.data.TFRecordDataset(files, "GZIP").take(1):
        known = tf.train.Example.FromString(record.numpy()).features.feature
        if weight not in known:
            raise BadInput(f"evaluation.weight: no image has {weight}; there are {', '.join(sorted(known))}")


def _bad_input_behind(error: BaseException | None) -> BadInput | None:
    """What TFMA and Beam wrapped."""
    while error and not isinstance(error, BadInput):
        error = error.__cause__ or error.__context__
    return error if isinstance(error, BadInput) else None


def _write_refusal(blessing: types.Artifact) -> None:
    blessed = f"{blessing.uri}/{constants.BLESSED_FILE_NAME}"
    if tfx.dsl.io.fileio.exists(blessed):
        tfx.dsl.io.fileio.remove(blessed)
    with tfx.dsl.io.fileio.open(f"{blessing.uri}/{constants.NOT_BLESSED_FILE_NAME}", "w") as file:
        file.write("")
    blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY, constants.NOT_BLESSED_VALUE)


class Evaluator(tfx.components.Evaluator):
    """Holds slices to bounds too, and says why a model is blessed or not: beside the metrics, and in ML Metadata."""

    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(_Executor)


def evaluator(
    examples: tfx.types.BaseChannel,
    model: tfx.types.BaseChannel,
    baseline_model: tfx.types.BaseChannel,
    schema: tfx.types.BaseChannel,
    thresholds: Mapping[Any, float],
    tolerances: Mapping[Any, float],
    slices: Sequence[Sequence[str]] = (),
    slice_thresholds: Mapping[Any, float] | None = None,
    slice_tolerances: Mapping[Any, float] | None = None,
    least_images: int = 30,
    weight: str | None = None,
    intervals: str | None = None,
) -> Evaluator:
    """Compares with the bounds and with the baseline.

    Args:
        thresholds: A metric's worst value that is blessed.
        tolerances: How much worse than the baseline's a metric may be.
        slices: The features by whose values images are measured apart, beside the label; several cross.
        slice_thresholds: As thresholds, in every slice.
        slice_tolerances: As tolerances, in every slice.
        least_images: A slice with fewer is held to no bound.
        weight: The feature that says how much an image counts in METRICS; None: all count the same.
        intervals: TFMA's way to a 95 % interval of each metric: jackknife or poisson_bootstrap; None: none.
    """
    apart = [tfma.SlicingSpec(feature_keys=keys) for keys in ((features.LABEL,), *slices)]
    metrics = []
    for name, metric in METRICS.items():
        gated = tfma.MetricConfig()
        gated.CopyFrom(metric)
        _add_gate(gated, name, [tfma.SlicingSpec()], thresholds, tolerances)
        for one in apart:
            _add_gate(gated, name, [one], slice_thresholds or {}, slice_tolerances or {})
        metrics.append(gated)
    # What counts images counts each once, whatever its weight.
    counts = [tfma.MetricConfig(class_name=name) for name in ("ExampleCount", "MultiClassConfusionMatrixPlot")]
    options = config_pb2.Options(min_slice_size={"value": least_images})
    if intervals:
        options.compute_confidence_intervals.value = True
        options.confidence_intervals.method = config_pb2.ConfidenceIntervalOptions.ConfidenceIntervalMethod.Value(
            intervals.upper()
        )
    config = tfma.EvalConfig(
        model_specs=[
            tfma.ModelSpec(
                signature_name="serving_examples",
                preprocessing_function_names=["transform_features"],
                prediction_key=features.PROBABILITIES,
                label_key=features.LABEL_ID,
                example_weight_key=weight,
            )
        ],
        slicing_specs=[tfma.SlicingSpec(), *apart],
        metrics_specs=[
            tfma.MetricsSpec(metrics=metrics),
            tfma.MetricsSpec(metrics=counts, example_weights={"unweighted": True}),
        ],
        options=options,
    )
    return Evaluator(
        examples=examples,
        example_splits=["eval"],
        model=model,
        baseline_model=baseline_model,
        schema=schema,
        eval_config=config,
    )


def _add_gate(
    metric: tfma.MetricConfig,
    name: str,
    slices: Sequence[tfma.SlicingSpec],
    thresholds: Mapping[Any, float],
    tolerances: Mapping[Any, float],
) -> None:
    """Holds the metric to its bounds in these slices. TFMA would hold every slice to a plain threshold."""
    worst, tolerance = thresholds.get(name), tolerances.get(name)
    higher = name not in _LOWER_IS_BETTER
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
    if worst is not None or tolerance is not None:
        metric.per_slice_thresholds.add(slicing_specs=slices, threshold=threshold)
