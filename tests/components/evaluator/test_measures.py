"""Measures against scikit-learn's on the same predictions, and against numbers worked out by hand."""

import numpy as np
import pytest
from sklearn import metrics

from efficientmixnet.components.evaluator import intervals
from efficientmixnet.components.evaluator.measures import MEASURES, Outcomes


def answers(images: int, classes: int, skill: float = 2.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Returns labels [images] and probabilities [images, classes] of a classifier that is better than chance."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, images)
    logits = random.normal(size=(images, classes))
    logits[np.arange(images), labels] += skill
    probabilities = np.exp(logits)
    return labels, (probabilities / probabilities.sum(axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize(("images", "classes"), [(500, 2), (1797, 10), (3000, 100)])
def test_measures_equal_scikit_learns(images, classes):
    labels, probabilities = answers(images, classes)
    outcomes = Outcomes.of(labels, probabilities)
    predicted = probabilities.argmax(axis=1)
    everything = list(range(classes))
    exactly = probabilities.astype(float) / probabilities.sum(axis=1, dtype=float, keepdims=True)
    expected = {
        "accuracy": metrics.accuracy_score(labels, predicted),
        "balanced_accuracy": metrics.balanced_accuracy_score(labels, predicted),
        "macro_f1": metrics.f1_score(labels, predicted, average="macro"),
        "loss": metrics.log_loss(labels, exactly, labels=everything),
    }
    if classes > 3:
        expected["top_3"] = metrics.top_k_accuracy_score(labels, probabilities, k=3, labels=everything)
    for name, value in expected.items():
        assert MEASURES[name](outcomes) == pytest.approx(value, abs=1e-6), name
    np.testing.assert_array_equal(outcomes.confusion, metrics.confusion_matrix(labels, predicted, labels=everything))
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(labels, predicted, labels=everything)
    np.testing.assert_allclose(outcomes.by_class.precision, precision, atol=1e-9)
    np.testing.assert_allclose(outcomes.by_class.recall, recall, atol=1e-9)
    np.testing.assert_allclose(outcomes.by_class.f1, f1, atol=1e-9)


def test_a_class_without_images_does_not_count_in_means():
    labels = np.array([0, 0, 1, 1])
    probabilities = np.array([[0.9, 0.1, 0], [0.2, 0.8, 0], [0.1, 0.9, 0], [0.3, 0.7, 0]])
    outcomes = Outcomes.of(labels, probabilities)
    assert MEASURES["balanced_accuracy"](outcomes) == 0.75
    assert MEASURES["macro_f1"](outcomes) == pytest.approx((2 / 3 + 0.8) / 2)
    areas, mean = intervals.auc(labels, probabilities)
    assert np.isnan(areas[2])
    assert mean.value == pytest.approx(0.75)


def test_a_label_that_training_did_not_have_is_a_mistake():
    outcomes = Outcomes.of(np.array([-1, 1]), np.array([[0.6, 0.4], [0.4, 0.6]]))
    assert outcomes.correct.tolist() == [False, True]
    assert outcomes.confusion.tolist() == [[0, 0], [0, 1]]


def test_the_calibration_error_by_hand():
    # Ten images at confidence 0.8 with 6 correct, ten at 0.6 with 6 correct: |0.8 - 0.6| / 2 = 0.1.
    confident = np.tile([[0.8, 0.2]], (10, 1))
    unconfident = np.tile([[0.6, 0.4]], (10, 1))
    labels = np.array(([0] * 6 + [1] * 4) * 2)
    assert MEASURES["calibration_error"](Outcomes.of(labels, np.vstack([confident, unconfident]))) == pytest.approx(0.1)


def test_of_equally_probable_classes_only_the_predicted_one_is_correct():
    outcomes = Outcomes.of(np.array([0, 1, 2]), np.full((3, 3), 1 / 3))
    assert outcomes.correct.tolist() == [True, False, False]
    assert outcomes.label_rank.tolist() == [0, 1, 1]


def test_measures_of_joined_parts_equal_those_of_the_whole():
    labels, probabilities = answers(101, 4)
    parts = [Outcomes.of(labels[start : start + 25], probabilities[start : start + 25]) for start in range(0, 101, 25)]
    whole = Outcomes.of(labels, probabilities)
    for name, measure in MEASURES.items():
        assert measure(Outcomes.together(parts)) == measure(whole), name
