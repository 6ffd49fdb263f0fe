"""ClassCounts against scikit-learn on the same predictions, counted in parts as Beam counts them."""

import numpy as np
import pytest
from sklearn import metrics
from tensorflow_model_analysis.metrics import metric_types
from tensorflow_model_analysis.proto import config_pb2

from efficientmixnet.components.evaluator.class_counts import ClassCounts
from efficientmixnet.components.evaluator.measures import MEASURES, Outcomes

RANDOM = np.random.default_rng(3)
LABELS = RANDOM.integers(0, 5, 200)
LOGITS = RANDOM.normal(size=(200, 6)) + 1.5 * np.eye(6)[LABELS]
PROBABILITIES = (np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)).astype(np.float32)


def measured(name: str, labels: np.ndarray, probabilities: np.ndarray) -> float:
    config = config_pb2.EvalConfig(model_specs=[config_pb2.ModelSpec()])
    counting, derived = ClassCounts(name).computations(eval_config=config, model_names=[""], output_names=[""])
    parts = []
    for rows in np.split(np.arange(len(labels)), [0, len(labels) // 3]):
        part = counting.combiner.create_accumulator()
        for row in rows:
            extracts = {"labels": labels[row : row + 1], "predictions": probabilities[row]}
            part = counting.combiner.add_input(part, metric_types.StandardMetricInputs(extracts))
        parts.append(part)
    combined = counting.combiner.extract_output(counting.combiner.merge_accumulators(parts))
    (value,) = derived.result(combined).values()
    return value


def test_metrics_by_class_equal_scikit_learns_with_and_without_images_of_a_class():
    predicted = PROBABILITIES.argmax(axis=1)
    assert measured("balanced_accuracy", LABELS, PROBABILITIES) == pytest.approx(
        metrics.recall_score(LABELS, predicted, labels=range(5), average="macro"), abs=1e-9
    )
    assert measured("macro_f1", LABELS, PROBABILITIES) == pytest.approx(
        metrics.f1_score(LABELS, predicted, average="macro"), abs=1e-9
    )
    assert measured("top_3", LABELS, PROBABILITIES) == pytest.approx(
        metrics.top_k_accuracy_score(LABELS, PROBABILITIES, k=3, labels=range(6)), abs=1e-9
    )


def test_accuracy_and_loss_equal_scikit_learns():
    predicted = PROBABILITIES.argmax(axis=1)
    assert measured("accuracy", LABELS, PROBABILITIES) == pytest.approx(
        metrics.accuracy_score(LABELS, predicted), abs=1e-9
    )
    assert measured("loss", LABELS, PROBABILITIES) == pytest.approx(
        metrics.log_loss(LABELS, PROBABILITIES, labels=range(6)), rel=1e-6
    )


def test_the_loss_equals_scikit_learns_where_the_true_class_has_probability_0():
    labels, probabilities = np.array([0, 1, 1]), np.array([[0.7, 0.3], [1.0, 0.0], [0.2, 0.8]], np.float32)
    assert measured("loss", labels, probabilities) == pytest.approx(metrics.log_loss(labels, probabilities), rel=1e-6)


def test_the_calibration_error_equals_the_reports():
    expected = MEASURES["calibration_error"](Outcomes.of(LABELS, PROBABILITIES))
    assert measured("calibration_error", LABELS, PROBABILITIES) == pytest.approx(expected, abs=1e-6)


def test_several_metrics_share_one_count():
    config = config_pb2.EvalConfig(model_specs=[config_pb2.ModelSpec()])
    counting = {
        ClassCounts(name).computations(eval_config=config, model_names=[""], output_names=[""])[0]
        for name in ("accuracy", "top_3", "macro_f1", "balanced_accuracy")
    }
    assert len(counting) == 1


@pytest.mark.parametrize("name", ["accuracy", "loss", "top_3", "macro_f1", "balanced_accuracy", "calibration_error"])
def test_without_images_every_metric_is_nan(name):
    assert np.isnan(measured(name, LABELS[:0], PROBABILITIES[:0]))
