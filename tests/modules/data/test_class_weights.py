"""Class weights are equal to scikit-learn's."""

import numpy as np
from sklearn.utils.class_weight import compute_class_weight

from efficientmixnet.modules.data.class_weights import balanced


def test_balanced_weights_are_those_of_scikit_learn() -> None:
    labels = np.repeat([0, 1, 2], [7, 1, 22])
    expected = compute_class_weight("balanced", classes=np.arange(3), y=labels)
    np.testing.assert_allclose(balanced(np.bincount(labels)), expected)


def test_balanced_weights_give_every_class_the_same_total() -> None:
    counts = np.array([3, 90, 7])
    totals = counts * balanced(counts)
    np.testing.assert_allclose(totals, 100 / 3)
