"""ConfusionAccuracy is Keras's accuracy, and counts who was taken for whom."""

import keras
import numpy as np
import pytest

from efficientmixnet.modules.training.confusion_accuracy import ConfusionAccuracy

# Answers 0, 1, 1, 2, 0 to the truths 0, 1, 0, 2, 2.
TRUTHS = np.eye(3, dtype="float32")[[0, 1, 0, 2, 2]]
SHARES = np.float32([[0.8, 0.1, 0.1], [0.2, 0.5, 0.3], [0.3, 0.4, 0.3], [0.1, 0.1, 0.8], [0.6, 0.0, 0.4]])


def test_truths_stand_in_rows_and_answers_in_columns() -> None:
    metric = ConfusionAccuracy(3)
    metric.update_state(TRUTHS, SHARES)
    np.testing.assert_array_equal(metric.counts, [[1, 1, 0], [0, 1, 0], [1, 0, 1]])
    assert float(metric.result()) == pytest.approx(3 / 5)


def test_over_batches_it_is_keras_own_accuracy_of_mixed_labels_too() -> None:
    draw, ours, keras_own = np.random.default_rng(0), ConfusionAccuracy(4), keras.metrics.CategoricalAccuracy()
    for size in (7, 5, 1):
        truths, shares = draw.dirichlet([1] * 4, size), draw.dirichlet([1] * 4, size)
        ours.update_state(truths, shares)
        keras_own.update_state(truths, shares)
    assert float(ours.result()) == pytest.approx(float(keras_own.result()))
    ours.reset_state()
    assert float(ours.result()) == 0


def test_a_weight_of_nothing_counts_for_nothing() -> None:
    metric = ConfusionAccuracy(3)
    metric.update_state(TRUTHS, SHARES, sample_weight=np.float32([1, 1, 0, 1, 0]))
    assert float(metric.result()) == 1
