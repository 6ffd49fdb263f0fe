"""Intervals against known coverage, published examples and scikit-learn."""

import numpy as np
import pytest
from sklearn import metrics

from efficientmixnet.components.evaluator import intervals
from efficientmixnet.components.evaluator.measures import ByClass, Outcomes


def answers(images: int, classes: int, skill: float = 2.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Returns labels [images] and probabilities [images, classes] of a classifier that is better than chance."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, images)
    logits = random.normal(size=(images, classes))
    logits[np.arange(images), labels] += skill
    probabilities = np.exp(logits)
    return labels, (probabilities / probabilities.sum(axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("classes", [2, 7])
def test_areas_equal_scikit_learns_with_and_without_ties(classes):
    labels, probabilities = answers(600, classes, skill=1.0)
    for values in (probabilities, probabilities.round(1)):
        areas, mean = intervals.auc(labels, values)
        expected = [metrics.roc_auc_score(labels == one, values[:, one]) for one in range(classes)]
        np.testing.assert_allclose(areas, expected, atol=1e-9)
        assert mean.value == pytest.approx(np.mean(expected), abs=1e-9)


def test_the_interval_of_an_area_is_as_wide_as_the_spread_of_many_samples():
    areas = [intervals.auc(*answers(300, 2, skill=0.7, seed=seed))[1] for seed in range(300)]
    spread = np.std([area.value for area in areas])
    assert np.mean([area.high - area.low for area in areas]) == pytest.approx(2 * 1.96 * spread, rel=0.15)


def test_the_interval_of_accuracy_is_binomial():
    labels, probabilities = answers(1000, 5)
    (value, _) = intervals.with_intervals(Outcomes.of(labels, probabilities))["accuracy"]
    margin = 1.96 * np.sqrt(value.value * (1 - value.value) / 1000)
    assert value.low == pytest.approx(value.value - margin, abs=0.004)
    assert value.high == pytest.approx(value.value + margin, abs=0.004)


@pytest.mark.parametrize(
    ("correct", "images", "low", "high"), [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (81, 263, 0.2553, 0.3662)]
)
def test_the_interval_of_a_fraction_is_wilsons(correct, images, low, high):
    """The last row is Newcombe's (1998) example."""
    found = intervals.fraction(correct, images)
    assert (found.low, found.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


def test_a_model_equals_itself_and_exceeds_a_worse_one():
    labels, probabilities = answers(800, 5)
    good, bad = Outcomes.of(labels, probabilities), Outcomes.of(labels, probabilities[::-1])
    _, itself = intervals.with_intervals(good, good)["accuracy"]
    assert (itself.value, itself.low, itself.high) == (0, 0, 0)
    _, difference = intervals.with_intervals(good, bad)["accuracy"]
    assert difference.low > 0.2


def test_without_mistakes_the_intervals_are_those_of_wilson_and_never_a_single_value():
    """Wilson's lower end for n of n is n / (n + 1.96^2)."""
    labels = np.arange(344) % 4
    probabilities = np.full((344, 4), 0.1, np.float32)
    probabilities[np.arange(344), labels] = 0.7
    found = intervals.with_intervals(Outcomes.of(labels, probabilities))
    for name in ("accuracy", "top_3"):
        interval, _ = found[name]
        assert (interval.value, interval.high) == (1, 1)
        assert interval.low == pytest.approx(344 / (344 + 1.96**2), abs=1e-5)
    for name in ("balanced_accuracy", "macro_f1"):
        interval, _ = found[name]
        # Each of 4 classes of 86 images has the margin 3.84 / 89.84; the mean has half of it.
        assert interval.low == pytest.approx(1 - 3.8415 / (86 + 3.8415) / 2, abs=1e-5)
        assert interval.high == 1
    areas, mean = intervals.auc(labels, probabilities)
    assert (areas == 1).all()
    assert 0.97 < mean.low < 0.999
    assert mean.high == 1


def test_the_interval_of_balanced_accuracy_covers_the_true_value_in_95_of_100_samples():
    random = np.random.default_rng(1)
    recalls, images = np.array([0.97, 0.9, 0.75]), np.array([30, 25, 40])
    covered = 0
    for _ in range(400):
        correct = random.binomial(images, recalls)
        found = intervals.balanced(ByClass(images, images, correct))
        covered += found.low <= recalls.mean() <= found.high
    assert 0.92 < covered / 400 < 0.985


def test_the_lower_end_of_a_perfect_area_approaches_1_with_more_images():
    def low(images: int) -> float:
        labels = np.arange(images) % 2
        return intervals.auc(labels, np.stack([1.0 - labels, labels], axis=1))[1].low

    assert low(10) < low(40) < low(1000) < 1
