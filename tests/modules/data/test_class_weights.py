"""Weights of classes, as scikit-learn has them."""

import numpy as np
from sklearn.utils.class_weight import compute_class_weight

from efficientmixnet.modules.data.class_weights import balanced


def test_balanced_weights_are_scikit_learns() -> None:
    labels = np.repeat([0, 1, 2], [7, 1, 22])
    expected = compute_class_weight("balanced", classes=np.arange(3), y=labels)
    np.testing.assert_allclose(balanced(np.bincount(labels)), expected)


def test_under_balanced_weights_every_class_has_the_same_share_and_an_image_one_in_the_mean() -> None:
    counts = np.array([3, 90, 7])
    shares = counts * balanced(counts)
    np.testing.assert_allclose(shares, 100 / 3)
