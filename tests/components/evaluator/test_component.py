"""The gate: bounds point the right way, and hold over all images alone."""

import json
from typing import Any

import pytest
import tensorflow_model_analysis as tfma
from google.protobuf import json_format
from tfx import v1 as tfx

from efficientmixnet.components.evaluator.component import evaluator


def _config(thresholds: dict[str, float], tolerances: dict[str, float]) -> tfma.EvalConfig:
    standard = tfx.types.standard_artifacts
    component = evaluator(
        tfx.dsl.Channel(type=standard.Examples),
        tfx.dsl.Channel(type=standard.Model),
        tfx.dsl.Channel(type=standard.Model),
        tfx.dsl.Channel(type=standard.Schema),
        thresholds,
        tolerances,
    )
    assert json.loads(component.exec_properties["example_splits"]) == ["eval"]
    return json_format.Parse(component.exec_properties["eval_config"], tfma.EvalConfig())


def _gates(config: tfma.EvalConfig) -> dict[str, dict[str, Any]]:
    """By metric its gate over all images; any other gate fails the test."""
    gates = {}
    for metric in config.metrics_specs[0].metrics:
        assert not metric.HasField("threshold"), "TFMA holds every slice to a plain threshold"
        assert not metric.cross_slice_thresholds
        for one in metric.per_slice_thresholds:
            assert list(one.slicing_specs) == [tfma.SlicingSpec()]
            gates[json.loads(metric.config)["name"]] = json_format.MessageToDict(one.threshold)
    return gates


def test_accuracy_is_bounded_below_and_loss_above() -> None:
    assert _gates(_config({"accuracy": 0.97, "loss": 0.5}, {})) == {
        "accuracy": {"valueThreshold": {"lowerBound": 0.97}},
        "loss": {"valueThreshold": {"upperBound": 0.5}},
    }


def test_the_baseline_may_be_missed_by_the_tolerance_downwards_in_accuracy_and_upwards_in_loss() -> None:
    assert _gates(_config({}, {"accuracy": 0.01, "loss": 0.2})) == {
        "accuracy": {"changeThreshold": {"absolute": -0.01, "direction": "HIGHER_IS_BETTER"}},
        "loss": {"changeThreshold": {"absolute": 0.2, "direction": "LOWER_IS_BETTER"}},
    }


def test_a_tolerance_of_zero_is_a_gate_too() -> None:
    gate = _gates(_config({"accuracy": 0.0}, {"accuracy": 0.0}))["accuracy"]
    assert gate["valueThreshold"] == {"lowerBound": 0.0}
    assert gate["changeThreshold"]["direction"] == "HIGHER_IS_BETTER"
    assert gate["changeThreshold"]["absolute"] == pytest.approx(0.0)


def test_without_bounds_metrics_are_measured_but_gate_nothing() -> None:
    config = _config({}, {})
    assert _gates(config) == {}
    assert [json.loads(metric.config)["name"] for metric in config.metrics_specs[0].metrics[:2]] == ["accuracy", "loss"]


def test_metrics_are_sliced_by_the_label_as_it_was_ingested() -> None:
    assert [list(spec.feature_keys) for spec in _config({}, {}).slicing_specs] == [[], ["image/class/text"]]


def test_one_evaluators_bounds_do_not_stay_for_the_next() -> None:
    _config({"accuracy": 0.9}, {})
    assert _gates(_config({}, {})) == {}


def test_predictions_come_from_the_examples_signature_and_labels_from_the_transform_graph() -> None:
    (spec,) = _config({}, {}).model_specs
    assert spec.signature_name == "serving_examples"
    assert list(spec.preprocessing_function_names) == ["transform_features"]
    assert (spec.prediction_key, spec.label_key) == ("probabilities", "image/class/label")
