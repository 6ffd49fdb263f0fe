"""PictureMean against scikit-learn on the same predictions."""

import numpy as np
import pytest
import tensorflow_model_analysis as tfma
from sklearn.metrics import accuracy_score, log_loss
from tensorflow_model_analysis.metrics import metric_types

from efficientmixnet.components.picture_mean import PictureMean

LABELS = np.array([0, 2, 1, 2, 2, 0])
PROBABILITIES = np.array(
    [[0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [0.5, 0.4, 0.1], [0.0, 1.0, 0.0], [0.2, 0.2, 0.6], [0.4, 0.3, 0.3]], np.float32
)


def measured(name: str, labels: np.ndarray, probabilities: np.ndarray, split_at: int) -> float:
    """The metric's value, summed up in two parts as Beam does with a large data set."""
    config = tfma.EvalConfig(model_specs=[tfma.ModelSpec()])
    (computation,) = PictureMean(name).computations(eval_config=config, model_names=[""], output_names=[""])
    combiner = computation.combiner
    parts = []
    for rows in np.split(np.arange(len(labels)), [split_at]):
        accumulator = combiner.create_accumulator()
        for row in rows:
            extracts = {"labels": labels[row : row + 1], "predictions": probabilities[row]}
            accumulator = combiner.add_input(accumulator, metric_types.StandardMetricInputs(extracts))
        parts.append(accumulator)
    (value,) = combiner.extract_output(combiner.merge_accumulators(parts)).values()
    return value


@pytest.mark.parametrize("split_at", [0, 2])
def test_accuracy_is_scikit_learns(split_at):
    expected = accuracy_score(LABELS, PROBABILITIES.argmax(axis=1))
    assert measured("accuracy", LABELS, PROBABILITIES, split_at) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("split_at", [0, 2])
def test_loss_is_scikit_learns_log_loss_even_where_a_label_has_no_probability(split_at):
    expected = log_loss(LABELS, PROBABILITIES)
    assert measured("loss", LABELS, PROBABILITIES, split_at) == pytest.approx(expected, rel=1e-6)


def test_no_pictures_have_no_accuracy():
    assert np.isnan(measured("accuracy", LABELS[:0], PROBABILITIES[:0], 0))
