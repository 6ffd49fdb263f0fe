"""The Evaluator component: TFMA measures the model on the evaluation split, and the gate blesses it or not.

If there is a test split, the model is then measured on it. No choice depends on the result.
"""

import dataclasses
import json
from collections.abc import Sequence
from functools import partial
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
from tfx.types.component_spec import ExecutionParameter

from efficientmixnet.components.artifacts import Artifacts
from efficientmixnet.components.counted_images import counted_images, start_counting
from efficientmixnet.components.evaluator.class_counts import ClassCounts
from efficientmixnet.components.evaluator.comparable import comparable
from efficientmixnet.components.evaluator.gate import Gate
from efficientmixnet.components.evaluator.metric_names import GATED_METRICS
from efficientmixnet.components.evaluator.slices import overall_of, read_slices
from efficientmixnet.components.evaluator.verdict import TEST_FOLDER, Verdict
from efficientmixnet.components.fixed_batches import fixed_batches
from efficientmixnet.components.image_example_gen.split_names import EVAL, TEST
from efficientmixnet.components.loaded_model import load_model
from efficientmixnet.modules import features
from efficientmixnet.modules.data.record_counts import check_counts
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.files.whole_file import write_text


class _Executor(executor.Executor):
    def Do(self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: dict[str, Any]) -> None:
        config = json_format.Parse(exec_properties["eval_config"], config_pb2.EvalConfig())
        weight = config.model_specs[0].example_weight_key
        (examples,) = input_dict["examples"]
        has_test = TEST in artifact_utils.decode_split_names(examples.split_names)
        check_counts(examples.uri, [EVAL, TEST] if has_test else [EVAL])
        _check_weight(weight, examples)
        (model,) = input_dict["model"]
        input_dict = {**input_dict, "baseline_model": comparable(model, input_dict.get("baseline_model") or ())}
        start_counting([examples.uri], [EVAL, TEST] if has_test else [EVAL])
        self._measure(input_dict, output_dict, exec_properties)
        evaluation = artifact_utils.get_single_uri(output_dict["evaluation"])
        verdict = Gate.from_json(exec_properties["gate"]).judge(evaluation, weight)
        if has_test:
            self._measure_test(f"{evaluation}/{TEST_FOLDER}", input_dict, output_dict, exec_properties)
            tested = overall_of(read_slices(f"{evaluation}/{TEST_FOLDER}"))
            verdict = dataclasses.replace(
                verdict, test_metrics=dict(tested.metrics), test_intervals=dict(tested.intervals)
            )
        verdict.write(evaluation)
        (blessing,) = output_dict["blessing"]
        _write_blessing(blessing, verdict, input_dict, exec_properties)

    def _measure(self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: dict[str, Any]) -> None:
        try:
            with fixed_batches(), counted_images(tfma, "ExtractEvaluateAndWriteResults"):
                super().Do(input_dict, output_dict, {**exec_properties, "custom_eval_shared_model": _SHARED_MODEL})
        except RuntimeError as error:
            if found := _bad_input_behind(error):
                raise found from error
            raise

    def _measure_test(
        self, uri: str, input_dict: Artifacts, output_dict: Artifacts, exec_properties: dict[str, Any]
    ) -> None:
        """Measures the candidate, without the baseline model, on the test split."""
        folder = tfx.types.standard_artifacts.ModelEvaluation()
        folder.uri = uri
        inputs = {name: artifacts for name, artifacts in input_dict.items() if name != "baseline_model"}
        self._measure(
            inputs, {**output_dict, "evaluation": [folder]}, {**exec_properties, "example_splits": json.dumps([TEST])}
        )


def shared_model(eval_saved_model_path: str, **kwargs: Any) -> Any:
    """Returns the model in the form that TFMA takes. TFX calls this function by its name."""
    loader = tfma.ModelLoader(partial(load_model, eval_saved_model_path), [tf.saved_model.SERVING])
    return tfma.default_eval_shared_model(eval_saved_model_path, custom_model_loader=loader, **kwargs)


_SHARED_MODEL = f"{__name__}.{shared_model.__name__}"


def _check_weight(weight: str, examples: types.Artifact) -> None:
    """Raises BadInput if images have no such feature. TFMA would give each of them the weight 1."""
    if not weight:
        return
    (split,) = artifact_utils.get_split_uris([examples], EVAL)
    files = sorted(f"{split}/{name}" for name in tfx.dsl.io.fileio.listdir(split))
    for record in tf.data.TFRecordDataset(files, "GZIP").take(1):  # all images of a source have the same features
        known = tf.train.Example.FromString(record.numpy()).features.feature
        if weight not in known:
            raise BadInput(f"evaluation.weight: no image has {weight}; there are {', '.join(sorted(known))}")


def _bad_input_behind(error: BaseException | None) -> BadInput | None:
    """Returns the BadInput that TFMA and Beam wrapped, if there is one."""
    while error and not isinstance(error, BadInput):
        error = error.__cause__ or error.__context__
    return error if isinstance(error, BadInput) else None


def _write_blessing(
    blessing: types.Artifact,
    verdict: Verdict,
    input_dict: Artifacts,
    exec_properties: dict[str, Any],
) -> None:
    """Writes the blessing as TFX's executor does if TFMA checks thresholds, and the reason."""
    (model,) = input_dict["model"]
    blessing.set_string_custom_property(constants.ARTIFACT_PROPERTY_CURRENT_MODEL_URI_KEY, model.uri)
    blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY, model.id)
    for baseline in input_dict.get("baseline_model") or ():
        blessing.set_string_custom_property(constants.ARTIFACT_PROPERTY_BASELINE_MODEL_URI_KEY, baseline.uri)
        blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_BASELINE_MODEL_ID_KEY, baseline.id)
    if "current_component_id" in exec_properties:
        blessing.set_string_custom_property("component_id", exec_properties["current_component_id"])
    blessing.set_string_custom_property("reason", verdict.reason)
    name = constants.BLESSED_FILE_NAME if verdict.blessed else constants.NOT_BLESSED_FILE_NAME
    tfx.dsl.io.fileio.makedirs(blessing.uri)
    write_text(f"{blessing.uri}/{name}", "")
    value = constants.BLESSED_VALUE if verdict.blessed else constants.NOT_BLESSED_VALUE
    blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY, value)


class _Spec(types.standard_component_specs.EvaluatorSpec):
    PARAMETERS = {
        **types.standard_component_specs.EvaluatorSpec.PARAMETERS,
        "gate": ExecutionParameter(type=str),
    }


class Evaluator(tfx.components.Evaluator):
    """TFX's Evaluator with our gate, which also checks slices and gives reasons.

    The executor writes the verdict next to the metrics, and the reason into the blessing's `reason` property.
    It raises BadInput where `evaluation.weight` names no feature, or a feature that is not a number.
    """

    SPEC_CLASS = _Spec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(_Executor)

    def __init__(
        self,
        examples: tfx.types.BaseChannel,
        model: tfx.types.BaseChannel,
        baseline_model: tfx.types.BaseChannel,
        schema: tfx.types.BaseChannel,
        eval_config: config_pb2.EvalConfig,
        gate: Gate,
    ) -> None:
        """Makes the component.

        Args:
            examples: The images as ingested; the splits `eval` and, if there is one, `test` are measured.
            model: The candidate model.
            baseline_model: The model to compare with; the channel may be empty.
            schema: The schema of the examples.
            eval_config: What TFMA measures.
            gate: What the candidate must keep to be blessed.
        """
        spec = _Spec(
            examples=examples,
            model=model,
            baseline_model=baseline_model,
            schema=schema,
            example_splits=json.dumps([EVAL]),
            eval_config=eval_config,
            gate=gate.to_json(),
            evaluation=tfx.dsl.Channel(type=tfx.types.standard_artifacts.ModelEvaluation),
            blessing=tfx.dsl.Channel(type=tfx.types.standard_artifacts.ModelBlessing),
        )
        super(tfx.components.Evaluator, self).__init__(spec=spec)


def evaluator(
    examples: tfx.types.BaseChannel,
    model: tfx.types.BaseChannel,
    baseline_model: tfx.types.BaseChannel,
    schema: tfx.types.BaseChannel,
    weight: str | None = None,
    intervals: str | None = None,
    **gate: Any,
) -> Evaluator:
    """Returns the Evaluator component for the settings of the configuration's section `evaluation`.

    Args:
        examples: The images as ingested; the splits `eval` and, if there is one, `test` are measured.
        model: The candidate model.
        baseline_model: The model to compare with; the channel may be empty.
        schema: The schema of the examples.
        weight: The feature that holds each image's weight; None weights all images the same.
        intervals: TFMA's method for a 95 % confidence interval of each metric, jackknife or poisson_bootstrap;
            None for no intervals.
        **gate: The arguments of Gate.
    """
    limits = Gate(**gate)
    return Evaluator(
        examples, model, baseline_model, schema, _eval_config(limits.slicings, weight, intervals), gate=limits
    )


def _eval_config(slicings: Sequence[Sequence[str]], weight: str | None, intervals: str | None) -> config_pb2.EvalConfig:
    metrics = [
        config_pb2.MetricConfig(
            class_name=ClassCounts.__name__, module=ClassCounts.__module__, config=json.dumps({"name": name})
        )
        for name in GATED_METRICS
    ]
    # These count each image once, without its weight.
    counts = [config_pb2.MetricConfig(class_name=name) for name in ("ExampleCount", "MultiClassConfusionMatrixPlot")]
    options = config_pb2.Options()
    if intervals:
        options.compute_confidence_intervals.value = True
        options.confidence_intervals.method = config_pb2.ConfidenceIntervalOptions.ConfidenceIntervalMethod.Value(
            intervals.upper()
        )
    return config_pb2.EvalConfig(
        model_specs=[
            config_pb2.ModelSpec(
                signature_name="serving_examples",
                preprocessing_function_names=["transform_features"],
                prediction_key=features.PROBABILITIES,
                label_key=features.LABEL_ID,
                example_weight_key=weight,
            )
        ],
        slicing_specs=[config_pb2.SlicingSpec(), *(config_pb2.SlicingSpec(feature_keys=keys) for keys in slicings)],
        metrics_specs=[
            config_pb2.MetricsSpec(metrics=metrics),
            config_pb2.MetricsSpec(metrics=counts, example_weights={"unweighted": True}),
        ],
        options=options,
    )
