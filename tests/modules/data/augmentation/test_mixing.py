"""mixup and CutMix: labels follow the pixels, and λ follows Beta(α, α)."""

import numpy as np
import pytest
import tensorflow as tf

from efficientmixnet.modules.data.augmentation import mix_images
from efficientmixnet.modules.data.augmentation.mixing import beta

LABELS = np.eye(5, dtype="float32")
# All pixels of the i-th image are i, so that a pixel shows its image.
OWNERS = np.broadcast_to(np.arange(5, dtype="float32")[:, None, None, None], (5, 16, 16, 3))


def seed(number: int) -> tf.Tensor:
    return tf.constant([number, 1])


def test_mixup_blends_images_and_labels_alike() -> None:
    images = np.random.default_rng(3).uniform(0, 255, (5, 4, 4, 3)).astype("float32")
    mixed, labels = mix_images(tf.constant(images), tf.constant(LABELS), seed(0), mixup_alpha=1.0)
    for i in range(5):
        own, other = labels[i, i], labels[i, i - 1]  # the partner is the previous image
        assert float(own + other) == pytest.approx(1, abs=1e-6)
        np.testing.assert_allclose(mixed[i], own * images[i] + other * images[i - 1], rtol=1e-5)
    assert len(set(np.diag(labels.numpy()).tolist())) == 5  # each image has its own λ


def test_mixup_of_bytes_rounds() -> None:
    images = np.stack([np.zeros((2, 2, 3), "uint8"), np.full((2, 2, 3), 255, "uint8")])
    mixed, labels = mix_images(tf.constant(images), tf.eye(2), seed(4), mixup_alpha=1.0)
    assert mixed.dtype == tf.uint8
    np.testing.assert_array_equal(mixed[:, 0, 0, 0], np.round(255 * labels[:, 1].numpy()))


def test_cutmix_labels_are_fractions_of_the_area() -> None:
    for number in range(20):
        mixed, labels = mix_images(tf.constant(OWNERS), tf.constant(LABELS), seed(number), cutmix_alpha=1.0)
        for i in range(5):
            patch = mixed[i, ..., 0].numpy() == (i - 1) % 5
            assert np.all(patch | (mixed[i, ..., 0].numpy() == i))
            assert float(labels[i, i - 1]) == pytest.approx(patch.mean(), abs=1e-6)
            rows, columns = np.flatnonzero(patch.any(1)), np.flatnonzero(patch.any(0))
            if patch.any():  # one rectangle
                assert patch.sum() == (np.ptp(rows) + 1) * (np.ptp(columns) + 1)


def test_the_mean_area_of_cutmix_follows_from_uniform_lambda() -> None:
    # A rectangle with sides c around a uniform point has on average c - c²/4 of each side within the image.
    # For λ uniform the mean of (c - c²/4)² with c² uniform: 1/2 - 2/5 · 1/2 + 1/3 · 1/16 = .3208.
    fractions = [
        1 - np.diag(mix_images(tf.constant(OWNERS), tf.constant(LABELS), seed(n), cutmix_alpha=1.0)[1].numpy())
        for n in range(200)
    ]
    assert np.mean(fractions) == pytest.approx(0.3208, abs=0.03)


def test_with_both_each_batch_gets_one_of_them() -> None:
    blended = 0
    for number in range(100):
        mixed, _ = mix_images(tf.constant(OWNERS), tf.constant(LABELS), seed(number), mixup_alpha=1.0, cutmix_alpha=1.0)
        blended += not np.all(np.isin(mixed, np.arange(5)))
    assert 30 < blended < 70


def test_no_alpha_changes_nothing() -> None:
    mixed, labels = mix_images(tf.constant(OWNERS), tf.constant(LABELS), seed(0))
    np.testing.assert_array_equal(mixed, OWNERS)
    np.testing.assert_array_equal(labels, LABELS)


def test_same_seed_mixes_the_same_in_a_graph() -> None:
    both = {"mixup_alpha": 0.2, "cutmix_alpha": 1.0}
    graph = tf.function(lambda number: mix_images(tf.constant(OWNERS), tf.constant(LABELS), number, **both))
    for number in range(6):
        eager = mix_images(tf.constant(OWNERS), tf.constant(LABELS), seed(number), **both)
        for ours, theirs in zip(graph(seed(number)), eager, strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-5)


@pytest.mark.parametrize("alpha", [0.2, 1.0, 4.0])
def test_lambda_has_a_beta_distribution(alpha: float) -> None:
    # Beta(α, α) has the mean 1/2 and the variance 1 / (4 (2α + 1)).
    draws = beta(tf.constant(20_000), alpha, seed(9)).numpy()
    assert draws.mean() == pytest.approx(0.5, abs=0.01)
    assert draws.var() == pytest.approx(1 / (4 * (2 * alpha + 1)), rel=0.04)
    assert np.isfinite(beta(tf.constant(20_000), 0.01, seed(9))).all()
