"""The Evaluator component: TFMA measures, and the gate has all thresholds."""

import json

import pytest
from google.protobuf import json_format
from tensorflow_model_analysis.proto import config_pb2
from tfx import v1 as tfx

from efficientmixnet.components.evaluator.component import Evaluator, evaluator
from efficientmixnet.components.evaluator.gate import Gate
from efficientmixnet.components.evaluator.slices import Slice
from efficientmixnet.components.evaluator.verdict import read_verdict


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


@pytest.mark.parametrize("splits", [["train", "eval"], ["train", "eval", "test"]])
def test_a_test_split_is_measured_after_the_gate_and_does_not_change_the_verdict(tmp_path, monkeypatch, splits) -> None:
    examples = tfx.types.standard_artifacts.Examples()
    examples.uri, examples.split_names = str(tmp_path / "examples"), json.dumps(splits)
    artifacts = {
        "model": tfx.types.standard_artifacts.Model(),
        "blessing": tfx.types.standard_artifacts.ModelBlessing(),
    }
    artifacts["evaluation"] = tfx.types.standard_artifacts.ModelEvaluation()
    for name, artifact in artifacts.items():
        artifact.uri = str(tmp_path / name)
    accuracies = {"eval": 0.6, "test": 0.4}
    measured: dict[str, str] = {}  # the split by folder

    def measure(self, inputs, outputs, properties) -> None:
        (split,) = json.loads(properties["example_splits"])
        assert ("baseline_model" in inputs) == (split == "eval")
        measured[outputs["evaluation"][0].uri] = split
        tfx.dsl.io.fileio.makedirs(outputs["evaluation"][0].uri)

    def read(uri: str):
        yield Slice((), {"accuracy": accuracies[measured[uri]], "example_count": 9.0}, {}, {"accuracy": (0.1, 0.9)})

    monkeypatch.setattr("tfx.components.evaluator.executor.Executor.Do", measure)
    monkeypatch.setattr("efficientmixnet.components.evaluator.gate.read_slices", read)
    monkeypatch.setattr("efficientmixnet.components.evaluator.component.read_slices", read)
    component = _evaluator(thresholds={"accuracy": 0.5})
    inputs = {"examples": [examples], "model": [artifacts["model"]], "baseline_model": [artifacts["model"]]}
    outputs = {name: [artifacts[name]] for name in ("evaluation", "blessing")}
    Evaluator.EXECUTOR_SPEC.executor_class().Do(inputs, outputs, dict(component.exec_properties))
    verdict = read_verdict(artifacts["evaluation"].uri)
    assert list(measured.values()) == splits[1:]
    assert (verdict.blessed, verdict.metrics["accuracy"]) == (True, 0.6)
    assert verdict.test_metrics == ({"accuracy": 0.4, "example_count": 9.0} if "test" in splits else {})
    assert verdict.test_intervals == ({"accuracy": [0.1, 0.9]} if "test" in splits else {})
