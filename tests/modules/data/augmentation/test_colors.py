"""RandAugment's color operations, compared with Pillow."""

from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf
from keras import ops
from PIL import Image, ImageEnhance, ImageOps

from efficientmixnet.modules.data.augmentation import colors
from efficientmixnet.modules.data.augmentation.on_device import colors as on_device_colors
from efficientmixnet.modules.data.augmentation.randaugment import OPERATIONS

DRAW = np.random.default_rng(0)
IMAGES = {
    "noise": DRAW.integers(0, 256, (23, 31, 3)),
    "soft": np.clip(DRAW.normal(120, 40, (40, 50, 3)).cumsum(0) / 12, 0, 255),
    "narrow": DRAW.integers(90, 140, (30, 30, 3)),
    "one color": np.full((9, 7, 3), (10, 200, 30)),
    "two levels": DRAW.integers(0, 2, (20, 20, 3)) * 77 + 5,
}
FACTORS = [0.1, 0.55, 1.0, 1.45, 1.9]


@pytest.fixture(params=list(IMAGES.values()), ids=list(IMAGES))
def image(request: pytest.FixtureRequest) -> np.ndarray:
    return request.param.astype("uint8")


@pytest.mark.parametrize(
    ("ours", "pillows"), [(colors.auto_contrast, ImageOps.autocontrast), (colors.equalize, ImageOps.equalize)]
)
def test_contrast_and_histogram_are_those_of_pillow(ours: Callable, pillows: Callable, image: np.ndarray) -> None:
    np.testing.assert_array_equal(ours(tf.constant(image)), np.array(pillows(Image.fromarray(image))))


@pytest.mark.parametrize("bits", [4, 5, 8])
def test_posterize_is_equal_to_pillow(bits: int, image: np.ndarray) -> None:
    ours = colors.posterize(tf.constant(image), tf.constant(float(bits)))
    np.testing.assert_array_equal(ours, np.array(ImageOps.posterize(Image.fromarray(image), bits)))


@pytest.mark.parametrize("threshold", [0, 100, 256])
def test_solarize_is_equal_to_pillow(threshold: int, image: np.ndarray) -> None:
    ours = colors.solarize(tf.constant(image), tf.constant(float(threshold)))
    np.testing.assert_array_equal(ours, np.array(ImageOps.solarize(Image.fromarray(image), threshold)))


@pytest.mark.parametrize("factor", FACTORS)
@pytest.mark.parametrize(
    ("ours", "pillows"),
    [
        (colors.color, ImageEnhance.Color),
        (colors.contrast, ImageEnhance.Contrast),
        (colors.brightness, ImageEnhance.Brightness),
        (colors.sharpness, ImageEnhance.Sharpness),
    ],
)
def test_enhancement_is_equal_to_pillow(ours: Callable, pillows: Callable, factor: float, image: np.ndarray) -> None:
    expected = np.array(pillows(Image.fromarray(image)).enhance(factor)).astype(int)
    # Values rarely differ by one, where float32 rounds a product differently before it is rounded down.
    difference = np.abs(ours(tf.constant(image), tf.constant(factor)).numpy().astype(int) - expected)
    assert difference.max() <= 1
    assert np.mean(difference > 0) < 0.005


@pytest.mark.parametrize("name", OPERATIONS)
def test_floats_keep_their_type_and_differ_from_bytes_by_rounding(name: str) -> None:
    soft = IMAGES["soft"].astype("uint8")
    ours, of_floats = (OPERATIONS[name](tf.constant(soft, kind), 0.4) for kind in (tf.uint8, tf.float32))
    assert of_floats.dtype == tf.float32
    np.testing.assert_allclose(of_floats, ours, atol=2)


@pytest.mark.parametrize("name", sorted(OPERATIONS.keys() - {"equalize", "posterize"}))
def test_floats_keep_more_levels_than_bytes(name: str) -> None:
    # Two hundred levels within one level of a byte.
    fine = tf.reshape(tf.linspace(100.0, 100.9, 300), [10, 10, 3])
    assert len(np.unique(OPERATIONS[name](fine, 0.0))) >= 100


def test_equalize_takes_floats_beyond_black_and_white_as_these() -> None:
    values = np.random.default_rng(0).uniform(-300, 600, (9, 9, 3)).astype(np.float32)
    expected = colors.equalize(tf.constant(np.clip(values, 0, 255)))
    np.testing.assert_array_equal(colors.equalize(tf.constant(values)), expected)
    on_device = on_device_colors.equalize(ops.convert_to_tensor(values[None]))[0]
    np.testing.assert_array_equal(ops.convert_to_numpy(on_device), expected)
