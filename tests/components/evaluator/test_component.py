"""The Evaluator component: TFMA measures, and the gate has all thresholds."""

import json

import pytest
from google.protobuf import json_format
from tensorflow_model_analysis.proto import config_pb2
from tfx import v1 as tfx

from efficientmixnet.components.evaluator.component import Evaluator, evaluator
from efficientmixnet.components.evaluator.gate import Gate


def _evaluator(**settings) -> Evaluator:
    standard = tfx.types.standard_artifacts
    kinds = (standard.Examples, standard.Model, standard.Model, standard.Schema)
    return evaluator(*(tfx.dsl.Channel(type=kind) for kind in kinds), **{"thresholds": {}, "tolerances": {}} | settings)


def _config(**settings) -> config_pb2.EvalConfig:
    return json_format.Parse(_evaluator(**settings).exec_properties["eval_config"], config_pb2.EvalConfig())


LIMITS = {
    "thresholds": {"accuracy": 0.97, "loss": 0.5},
    "tolerances": {"accuracy": 0.0, "loss": 0.2},
    "slices": (("image/format", "camera"),),
    "slice_thresholds": {"macro_f1": 0.3},
    "slice_tolerances": {"accuracy": 0.1},
    "min_slice_size": 7,
}


def test_the_gate_gets_its_parameters_as_json() -> None:
    text = _evaluator(**LIMITS).exec_properties["gate"]
    assert json.loads(text) == LIMITS | {"slices": [["image/format", "camera"]]}
    assert Gate.from_json(text) == Gate(**LIMITS)


def test_tfma_gets_no_thresholds() -> None:
    config = _config(**LIMITS)
    for metric in (metric for spec in config.metrics_specs for metric in spec.metrics):
        assert not metric.HasField("threshold")
        assert not metric.per_slice_thresholds
        assert not metric.cross_slice_thresholds
    assert not config.options.HasField("min_slice_size")


def test_every_metric_is_measured_with_and_without_thresholds() -> None:
    for settings in ({}, LIMITS):
        metrics = _config(**settings).metrics_specs[0].metrics
        assert [json.loads(metric.config)["name"] for metric in metrics] == [
            *("accuracy", "top_3", "balanced_accuracy", "macro_f1", "loss", "calibration_error")
        ]


def test_metrics_are_sliced_by_the_ingested_label_and_the_configured_features() -> None:
    assert [list(spec.feature_keys) for spec in _config().slicing_specs] == [[], ["image/class/text"]]
    assert [list(spec.feature_keys) for spec in _config(slices=[["camera"], ["a", "b"]]).slicing_specs] == [
        *([], ["image/class/text"], ["camera"], ["a", "b"])
    ]


def test_an_unknown_parameter_is_refused() -> None:
    with pytest.raises(TypeError, match="least_images"):
        _evaluator(least_images=5)


def test_predictions_come_from_the_examples_signature_and_labels_from_the_transform_graph() -> None:
    component = _evaluator()
    assert json.loads(component.exec_properties["example_splits"]) == ["eval"]
    (spec,) = _config().model_specs
    assert spec.signature_name == "serving_examples"
    assert list(spec.preprocessing_function_names) == ["transform_features"]
    assert (spec.prediction_key, spec.label_key) == ("probabilities", "image/class/label")
