"""augment_image: its result, its seed and each of its operations."""

import numpy as np
import pytest
import tensorflow as tf

from efficientmixnet.modules.data.augmentation import augment_image

NOISE = np.random.default_rng(2).integers(0, 256, (40, 52, 3)).astype("uint8")
NOTHING = {"crop_scale": None, "flip": False}
EVERYTHING = {"randaugment_layers": 2, "randaugment_magnitude": 9.0, "erasing_probability": 0.5}


def seed(number: int) -> tf.Tensor:
    return tf.constant([7, number], tf.int64)


def test_all_operations_give_uint8_images_of_the_size() -> None:
    for number in range(3):
        image = augment_image(tf.constant(NOISE), 24, seed(number), **EVERYTHING)
        assert image.dtype == tf.uint8
        assert image.shape == (24, 24, 3)


def test_same_seed_gives_the_same_image_eager_in_a_graph_and_in_parallel() -> None:
    eager = [augment_image(tf.constant(NOISE), 24, seed(number), **EVERYTHING).numpy() for number in range(6)]
    data = tf.data.Dataset.range(6).map(
        lambda number: augment_image(tf.constant(NOISE), 24, tf.stack([7, number]), **EVERYTHING),
        num_parallel_calls=tf.data.AUTOTUNE,
    )
    np.testing.assert_array_equal(list(data.as_numpy_iterator()), eager)
    assert len({image.tobytes() for image in eager}) == 6


def test_no_operation_leaves_an_image_of_the_size_unchanged() -> None:
    image = tf.constant(NOISE[:40, :40])
    np.testing.assert_array_equal(augment_image(image, 40, seed(0), **NOTHING), image)


def test_flip_mirrors_half_of_the_images() -> None:
    square = NOISE[:8, :8]
    flips = 0
    for number in range(200):
        image = augment_image(tf.constant(square), 8, seed(number), crop_scale=None, flip=True).numpy()
        mirrored = np.array_equal(image, square[:, ::-1])
        assert mirrored or np.array_equal(image, square)
        flips += mirrored
    assert 70 < flips < 130


def test_turning_an_operation_off_does_not_change_the_others() -> None:
    both = augment_image(tf.constant(NOISE), 24, seed(5), crop_scale=(0.3, 0.9), flip=True)
    crop = augment_image(tf.constant(NOISE), 24, seed(5), crop_scale=(0.3, 0.9), flip=False)
    assert np.array_equal(both, crop) or np.array_equal(both, crop[:, ::-1])


@pytest.mark.parametrize("scale", [(0.08, 1.0), (0.08, 0.1), (0.5, 0.6), (1.0, 1.0)])
def test_crop_areas_and_aspect_ratios_are_within_their_limits(scale: tuple[float, float]) -> None:
    # Red is the column and green the row, so that a crop shows its position.
    side = 200
    place = np.zeros((side, side, 3), "uint8")
    place[..., 0], place[..., 1] = np.arange(side)[None, :], np.arange(side)[:, None]
    areas = []
    for number in range(40):
        crop = augment_image(tf.constant(place), 64, seed(number), crop_scale=scale, flip=False).numpy().astype(int)
        width, height = (np.ptp(crop[..., channel]) + 1 for channel in (0, 1))
        areas.append(width * height / side**2)
        assert 0.95 * 3 / 4 <= width / height <= 4 / 3 / 0.95
    assert min(areas) > 0.85 * scale[0]
    assert max(areas) < 1.1 * scale[1]
    assert np.ptp(areas) >= 0.5 * (scale[1] - scale[0])


def test_crop_works_on_images_of_any_shape() -> None:
    for height, width in [(1, 1), (3, 200), (200, 3)]:
        image = tf.zeros([height, width, 3], tf.uint8)
        assert augment_image(image, 16, seed(1), crop_scale=(0.08, 1.0)).shape == (16, 16, 3)


def test_erasing_replaces_one_rectangle_with_noise() -> None:
    blank = tf.zeros([40, 40, 3], tf.uint8)
    areas, erased = [], 0
    for number in range(60):
        settings = {**NOTHING, "erasing_probability": 0.5}
        changed = augment_image(blank, 40, seed(number), **settings).numpy().any(-1)  # noise is black once in 2²⁴
        if not changed.any():
            continue
        erased += 1
        rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
        assert changed[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all()
        assert changed.sum() == (np.ptp(rows) + 1) * (np.ptp(columns) + 1)
        areas.append(changed.mean())
    assert 18 < erased < 42
    assert min(areas) > 0.01
    assert max(areas) < 0.36


@pytest.mark.parametrize("channels", [1, 5])
@pytest.mark.parametrize("kind", ["uint8", "float32"])
def test_other_numbers_of_channels_keep_their_values(channels: int, kind: str) -> None:
    values = np.random.default_rng(3).uniform(60, 200, (40, 52, channels)).astype(kind)
    augmented = tf.data.Dataset.from_tensors(values).repeat(20).enumerate()
    augmented = augmented.map(
        lambda number, image: augment_image(image, 24, tf.stack([7, number]), channels=channels, **EVERYTHING)
    )
    assert augmented.element_spec.shape == (24, 24, channels)
    for image in augmented:  # no operation adds gray, noise or a value outside the image's range
        assert image.numpy().min() >= 60
        assert image.numpy().max() <= 200
