"""ConfusionAccuracy is equal to Keras's accuracy, and counts the confusion matrix."""

import keras
import numpy as np
import pytest

from efficientmixnet.modules.training.confusion_accuracy import ConfusionAccuracy

# The predictions are 0, 1, 1, 2, 0, and the labels 0, 1, 0, 2, 2.
LABELS = np.eye(3, dtype="float32")[[0, 1, 0, 2, 2]]
PROBABILITIES = np.float32([[0.8, 0.1, 0.1], [0.2, 0.5, 0.3], [0.3, 0.4, 0.3], [0.1, 0.1, 0.8], [0.6, 0.0, 0.4]])


def test_rows_are_labels_and_columns_are_predictions() -> None:
    metric = ConfusionAccuracy(3)
    metric.update_state(LABELS, PROBABILITIES)
    np.testing.assert_array_equal(metric.counts, [[1, 1, 0], [0, 1, 0], [1, 0, 1]])
    assert float(metric.result()) == pytest.approx(3 / 5)


def test_it_is_keras_accuracy_over_several_batches_with_mixed_labels() -> None:
    draw, ours, keras_own = np.random.default_rng(0), ConfusionAccuracy(4), keras.metrics.CategoricalAccuracy()
    for size in (7, 5, 1):
        labels, probabilities = draw.dirichlet([1] * 4, size), draw.dirichlet([1] * 4, size)
        ours.update_state(labels, probabilities)
        keras_own.update_state(labels, probabilities)
    assert float(ours.result()) == pytest.approx(float(keras_own.result()))
    ours.reset_state()
    assert float(ours.result()) == 0


def test_an_image_with_weight_zero_does_not_count() -> None:
    metric = ConfusionAccuracy(3)
    metric.update_state(LABELS, PROBABILITIES, sample_weight=np.float32([1, 1, 0, 1, 0]))
    assert float(metric.result()) == 1
