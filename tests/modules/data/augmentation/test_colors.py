"""RandAugment's colours against Pillow, which they were taken from."""

from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageEnhance, ImageOps

from efficientmixnet.modules.data.augmentation import colors as colours

DRAW = np.random.default_rng(0)
PICTURES = {
    "noise": DRAW.integers(0, 256, (23, 31, 3)),
    "soft": np.clip(DRAW.normal(120, 40, (40, 50, 3)).cumsum(0) / 12, 0, 255),
    "narrow": DRAW.integers(90, 140, (30, 30, 3)),
    "one colour": np.full((9, 7, 3), (10, 200, 30)),
    "two levels": DRAW.integers(0, 2, (20, 20, 3)) * 77 + 5,
}
FACTORS = [0.1, 0.55, 1.0, 1.45, 1.9]


@pytest.fixture(params=list(PICTURES.values()), ids=list(PICTURES))
def picture(request: pytest.FixtureRequest) -> np.ndarray:
    return request.param.astype("uint8")


@pytest.mark.parametrize(
    ("ours", "pillows"), [(colours.auto_contrast, ImageOps.autocontrast), (colours.equalize, ImageOps.equalize)]
)
def test_levels_are_spread_as_in_pillow(ours: Callable, pillows: Callable, picture: np.ndarray) -> None:
    np.testing.assert_array_equal(ours(tf.constant(picture)), np.array(pillows(Image.fromarray(picture))))


@pytest.mark.parametrize("bits", [4, 5, 8])
def test_posterize_is_pillows(bits: int, picture: np.ndarray) -> None:
    ours = colours.posterize(tf.constant(picture), tf.constant(float(bits)))
    np.testing.assert_array_equal(ours, np.array(ImageOps.posterize(Image.fromarray(picture), bits)))


@pytest.mark.parametrize("threshold", [0, 100, 256])
def test_solarize_is_pillows(threshold: int, picture: np.ndarray) -> None:
    ours = colours.solarize(tf.constant(picture), tf.constant(float(threshold)))
    np.testing.assert_array_equal(ours, np.array(ImageOps.solarize(Image.fromarray(picture), threshold)))


@pytest.mark.parametrize("factor", FACTORS)
@pytest.mark.parametrize(
    ("ours", "pillows"),
    [
        (colours.colour, ImageEnhance.Color),
        (colours.contrast, ImageEnhance.Contrast),
        (colours.brightness, ImageEnhance.Brightness),
        (colours.sharpness, ImageEnhance.Sharpness),
    ],
)
def test_enhancement_is_pillows(ours: Callable, pillows: Callable, factor: float, picture: np.ndarray) -> None:
    expected = np.array(pillows(Image.fromarray(picture)).enhance(factor)).astype(int)
    # One level apart at the most, and that seldom: where float32 rounds a product the other way before it is cut off.
    difference = np.abs(ours(tf.constant(picture), tf.constant(factor)).numpy().astype(int) - expected)
    assert difference.max() <= 1
    assert np.mean(difference > 0) < 0.005
