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


def test_a_model_equals_itself_and_exceeds_a_worse_one():
    labels, probabilities = answers(800, 5)
    good, bad = Outcomes.of(labels, probabilities), Outcomes.of(labels, probabilities[::-1])
    for name, (_, itself) in intervals.with_intervals(good, good).items():
        assert itself is not None
        assert itself.value == 0
        assert itself.low <= 0 <= itself.high < 0.03, name
    found = intervals.with_intervals(good, bad)
    for name in ("accuracy", "balanced_accuracy", "macro_f1"):
        _, difference = found[name]
        assert difference is not None
        assert difference.low > 0.2


def test_four_mistakes_more_of_344_may_be_due_to_chance_in_every_accuracy():
    """The bootstrap alone would say that macro F1 is better: (340 / 344)^344 = 1.8 % of its samples have no mistake."""
    labels = np.arange(344) % 4
    perfect = np.full((344, 4), 0.1, np.float32)
    perfect[np.arange(344), labels] = 0.7
    worse = perfect.copy()
    worse[:4] = np.roll(worse[:4], 1, axis=1)
    found = intervals.with_intervals(Outcomes.of(labels, perfect), Outcomes.of(labels, worse))
    for name in ("accuracy", "balanced_accuracy", "macro_f1"):
        _, difference = found[name]
        assert difference is not None
        assert difference.value == pytest.approx(4 / 344, abs=1e-4)
        assert difference.low < 0 < difference.value < difference.high < 0.05


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


def test_the_interval_of_an_area_of_0_mirrors_that_of_an_area_of_1():
    labels = np.arange(20) % 2
    scores = np.stack([1.0 - labels, labels], axis=1)
    _, perfect = intervals.auc(labels, scores)
    _, worst = intervals.auc(labels, 1 - scores)
    assert (worst.value, worst.low) == (0, 0)
    assert worst.high == pytest.approx(1 - perfect.low)
    assert 0.1 < worst.high < 0.5


def test_the_interval_of_an_area_stays_within_0_and_1():
    """Ordered with 1 of 6 pairs, so 1 / 6, and DeLong's margin is larger."""
    scores = np.array([0.1, 0.3, 0.2, 0.4, 0.5])
    _, mean = intervals.auc(np.array([1, 1, 0, 0, 0]), np.stack([1 - scores, scores], axis=1))
    assert mean.value == pytest.approx(1 / 6)
    assert mean.low == 0
    assert mean.high < 0.6
