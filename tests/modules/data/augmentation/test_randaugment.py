"""RandAugment: its table, its magnitudes and its draws."""

import numpy as np
import pytest
import tensorflow as tf

from efficientmixnet.modules.data.augmentation.randaugment import OPERATIONS, apply_operation, rand_augment

IMAGE = np.random.default_rng(1).integers(60, 200, (16, 16, 3)).astype("uint8")


def test_the_table_has_the_fourteen_operations_of_the_paper() -> None:
    assert sorted(OPERATIONS) == [
        "auto_contrast",
        "brightness",
        "color",
        "contrast",
        "equalize",
        "identity",
        "posterize",
        "rotate",
        "sharpness",
        "shear_x",
        "shear_y",
        "solarize",
        "translate_x",
        "translate_y",
    ]


@pytest.mark.parametrize("name", sorted(set(OPERATIONS) - {"auto_contrast", "equalize"}))
def test_magnitude_zero_changes_nothing(name: str) -> None:
    np.testing.assert_array_equal(OPERATIONS[name](tf.constant(IMAGE), tf.constant(0.0)), IMAGE)


def test_the_strongest_magnitudes_match_values_by_hand() -> None:
    gray = tf.constant(np.full((4, 4, 3), 101, "uint8"))

    def first(name: str, strength: float) -> int:
        return int(OPERATIONS[name](gray, tf.constant(strength))[0, 0, 0])

    assert first("posterize", 1.0) == first("posterize", -1.0) == 96  # the upper four of 0110 0101
    assert first("solarize", 1.0) == 154  # everything is inverted
    assert first("brightness", 1.0) == 191  # 1.9 · 101 = 191.9
    assert first("brightness", -1.0) == 10  # .1 · 101 = 10.1


def test_a_seed_draws_the_same_operations_and_applies_them_in_order() -> None:
    once = rand_augment(tf.constant(IMAGE), 2, 9.0, tf.constant([3, 4]))
    np.testing.assert_array_equal(once, rand_augment(tf.constant(IMAGE), 2, 9.0, tf.constant([3, 4])))
    draws = tf.random.stateless_uniform([2, 2], tf.constant([3, 4])).numpy()
    image = tf.constant(IMAGE)
    for which, direction in draws:
        image = apply_operation(image, tf.constant(int(which * 14)), tf.constant(-0.9 if direction < 0.5 else 0.9))
    np.testing.assert_array_equal(once, image)


def test_all_operations_are_drawn_about_equally_often() -> None:
    seeds = tf.stack([tf.range(1400), tf.range(1400)], 1)
    draws = tf.vectorized_map(lambda seed: tf.random.stateless_uniform([1, 2], seed), seeds)
    counts = np.bincount((draws[:, 0, 0].numpy() * 14).astype(int), minlength=14)
    assert counts.min() > 60  # 100 each on average, with a deviation of 10
    assert counts.max() < 140
