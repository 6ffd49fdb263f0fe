"""On the device, RandAugment's operations give the pixels that they give on the CPU."""

import numpy as np
import pytest
import tensorflow as tf

from efficientmixnet.modules.data.augmentation.on_device.randaugment import NUMBERS, apply_operation
from efficientmixnet.modules.data.augmentation.randaugment import OPERATIONS

DRAW = np.random.default_rng(0)
IMAGES = np.stack(
    [
        DRAW.integers(0, 256, (23, 31, 3)),
        np.clip(DRAW.normal(120, 40, (23, 31, 3)).cumsum(0) / 12, 0, 255),
        DRAW.integers(90, 140, (23, 31, 3)),
        np.full((23, 31, 3), (10, 200, 30)),
        DRAW.integers(0, 2, (23, 31, 3)) * 77 + 5,
    ]
).astype("uint8")
COUNT = len(IMAGES)


@pytest.mark.parametrize("strength", [0.9, -0.37])
@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("kind", ["uint8", "float32"])
def test_an_operation_gives_the_pixels_of_the_cpu(kind: str, name: str, strength: float) -> None:
    levels = tf.constant(IMAGES, tf.float32)
    numbers, strengths = tf.fill([COUNT], NUMBERS[name]), tf.fill([COUNT], strength)
    ours = apply_operation(levels, numbers, strengths, kind == "uint8").numpy()
    expected = [OPERATIONS[name](tf.constant(image, kind), tf.constant(strength)).numpy() for image in IMAGES]
    difference = np.abs(ours - np.stack(expected).astype("float32"))
    # Pillow computes auto_contrast with 64 bits, and rounds a few whole numbers down to the next one.
    assert difference.max() <= (1 if name == "auto_contrast" and kind == "uint8" else 1e-3)
    assert np.mean(difference > 1e-3) < 0.03


def test_each_image_gets_its_own_operation_and_strength() -> None:
    gray = tf.fill([4, 6, 6, 3], 101.0)
    numbers = tf.constant([NUMBERS[name] for name in ("brightness", "brightness", "solarize", "identity")])
    found = apply_operation(gray, numbers, tf.constant([1.0, -1.0, 1.0, 1.0]), True)
    # 1.9 · 101 = 191.9; 0.1 · 101 = 10.1; 255 - 101 = 154
    np.testing.assert_array_equal(found[:, 2, 2, 0], [191, 10, 154, 101])


def test_xla_compiles_the_operations() -> None:
    compiled = tf.function(lambda *arguments: apply_operation(*arguments, True), jit_compile=True)
    arguments = tf.constant(IMAGES, tf.float32), tf.range(COUNT), tf.fill([COUNT], 0.5)
    np.testing.assert_allclose(compiled(*arguments), apply_operation(*arguments, True), atol=1)
