"""Measures against scikit-learn's on the same answers, and intervals against what is known of them."""

import numpy as np
import pytest
from sklearn import metrics

from efficientmixnet.components.evaluator import measures
from efficientmixnet.components.evaluator.measures import MEASURES, Outcomes


def answers(images: int, classes: int, skill: float = 2.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Labels [images] and probabilities [images, classes] of a classifier that knows something."""
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
    named = probabilities.argmax(axis=1)
    everything = list(range(classes))
    exactly = probabilities.astype(float) / probabilities.sum(axis=1, dtype=float, keepdims=True)
    expected = {
        "accuracy": metrics.accuracy_score(labels, named),
        "balanced_accuracy": metrics.balanced_accuracy_score(labels, named),
        "macro_f1": metrics.f1_score(labels, named, average="macro"),
        "loss": metrics.log_loss(labels, exactly, labels=everything),
    }
    if classes > 3:
        expected["top_3"] = metrics.top_k_accuracy_score(labels, probabilities, k=3, labels=everything)
    for name, value in expected.items():
        assert MEASURES[name](outcomes) == pytest.approx(value, abs=1e-6), name
    np.testing.assert_array_equal(outcomes.confusion, metrics.confusion_matrix(labels, named, labels=everything))
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(labels, named, labels=everything)
    np.testing.assert_allclose(outcomes.by_class.precision, precision, atol=1e-9)
    np.testing.assert_allclose(outcomes.by_class.recall, recall, atol=1e-9)
    np.testing.assert_allclose(outcomes.by_class.f1, f1, atol=1e-9)


@pytest.mark.parametrize("classes", [2, 7])
def test_areas_under_curves_equal_scikit_learns_with_ties_too(classes):
    labels, probabilities = answers(600, classes, skill=1.0)
    for values in (probabilities, probabilities.round(1)):
        areas, mean = measures.auc(labels, values)
        expected = [metrics.roc_auc_score(labels == one, values[:, one]) for one in range(classes)]
        np.testing.assert_allclose(areas, expected, atol=1e-9)
        assert mean.value == pytest.approx(np.mean(expected), abs=1e-9)


def test_an_areas_interval_is_as_wide_as_the_areas_of_many_samples_spread():
    areas = [measures.auc(*answers(300, 2, skill=0.7, seed=seed))[1] for seed in range(300)]
    spread = np.std([area.value for area in areas])
    assert np.mean([area.high - area.low for area in areas]) == pytest.approx(2 * 1.96 * spread, rel=0.15)


def test_a_class_without_images_counts_for_no_mean():
    labels = np.array([0, 0, 1, 1])
    probabilities = np.array([[0.9, 0.1, 0], [0.2, 0.8, 0], [0.1, 0.9, 0], [0.3, 0.7, 0]])
    outcomes = Outcomes.of(labels, probabilities)
    assert MEASURES["balanced_accuracy"](outcomes) == 0.75
    assert MEASURES["macro_f1"](outcomes) == pytest.approx((2 / 3 + 0.8) / 2)
    areas, mean = measures.auc(labels, probabilities)
    assert np.isnan(areas[2])
    assert mean.value == pytest.approx(0.75)


def test_a_label_that_training_never_saw_is_a_mistake():
    outcomes = Outcomes.of(np.array([-1, 1]), np.array([[0.6, 0.4], [0.4, 0.6]]))
    assert outcomes.right.tolist() == [False, True]
    assert outcomes.confusion.tolist() == [[0, 0], [0, 1]]


def test_calibration_error_of_hand():
    # Ten images at confidence 0.8 with 6 right, ten at 0.6 with 6 right: |0.8 - 0.6| / 2 = 0.1.
    sure = np.tile([[0.8, 0.2]], (10, 1))
    unsure = np.tile([[0.6, 0.4]], (10, 1))
    labels = np.array(([0] * 6 + [1] * 4) * 2)
    assert MEASURES["calibration_error"](Outcomes.of(labels, np.vstack([sure, unsure]))) == pytest.approx(0.1)


def test_between_equally_likely_classes_only_the_named_one_is_right():
    outcomes = Outcomes.of(np.array([0, 1, 2]), np.full((3, 3), 1 / 3))
    assert outcomes.right.tolist() == [True, False, False]
    assert outcomes.label_rank.tolist() == [0, 1, 1]


def test_an_interval_of_accuracy_is_the_binomials():
    labels, probabilities = answers(1000, 5)
    (value, _) = measures.with_intervals(Outcomes.of(labels, probabilities))["accuracy"]
    margin = 1.96 * np.sqrt(value.value * (1 - value.value) / 1000)
    assert value.low == pytest.approx(value.value - margin, abs=0.004)
    assert value.high == pytest.approx(value.value + margin, abs=0.004)


@pytest.mark.parametrize(
    ("right", "images", "low", "high"), [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (81, 263, 0.2553, 0.3662)]
)
def test_the_interval_of_a_share_is_wilsons(right, images, low, high):
    """The last row is Newcombe's (1998) example."""
    found = measures.share(right, images)
    assert (found.low, found.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


def test_a_model_exceeds_itself_by_nothing_and_a_worse_one_surely():
    labels, probabilities = answers(800, 5)
    good, bad = Outcomes.of(labels, probabilities), Outcomes.of(labels, probabilities[::-1])
    _, itself = measures.with_intervals(good, good)["accuracy"]
    assert (itself.value, itself.low, itself.high) == (0, 0, 0)
    _, difference = measures.with_intervals(good, bad)["accuracy"]
    assert difference.low > 0.2


def test_parts_together_are_the_whole():
    labels, probabilities = answers(101, 4)
    parts = [Outcomes.of(labels[start : start + 25], probabilities[start : start + 25]) for start in range(0, 101, 25)]
    whole = Outcomes.of(labels, probabilities)
    for name, measure in MEASURES.items():
        assert measure(Outcomes.together(parts)) == measure(whole), name
