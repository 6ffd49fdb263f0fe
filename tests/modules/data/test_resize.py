"""Resizing, compared with Pillow and TensorFlow."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from efficientmixnet.modules.data.resize import resize, resize_rarely


def _noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


SIZES = [
    ((48, 64), (24, 32)),
    ((97, 61), (64, 40)),
    ((50, 50), (49, 51)),  # one side shrinks, one grows
    ((30, 40), (77, 90)),
    ((100, 31), (7, 2)),
    ((200, 3), (1, 1)),
    ((1, 1), (3, 2)),
    ((1460, 1440), (224, 221)),  # large enough for ScaleAndTranslate
    ((1440, 1450), (224, 221)),  # just too small for it
]


@pytest.mark.parametrize(("shape", "size"), SIZES)
def test_the_pixels_are_those_of_pillow(shape: tuple[int, int], size: tuple[int, int]) -> None:
    image = _noise(*shape)
    expected = np.asarray(Image.fromarray(image).resize(size[::-1], Image.Resampling.BILINEAR)).astype(int)
    actual = resize(tf.constant(image), size).numpy()
    assert actual.shape == (*size, 3)
    assert np.abs(actual - expected).max() <= 2  # Pillow calculates in fixed point


@pytest.mark.parametrize(("shape", "size"), SIZES)
def test_the_pixels_are_those_of_tensorflow(shape: tuple[int, int], size: tuple[int, int]) -> None:
    image = tf.constant(_noise(*shape))
    expected = tf.image.resize(image, size, antialias=True)
    difference = np.abs(resize(image, size).numpy() - expected.numpy())
    assert difference.max() <= 0.502  # rounding to whole numbers


def test_the_size_can_be_a_tensor_and_images_can_be_gray() -> None:
    gray = _noise(20, 30)[..., :1]
    sizes = tf.constant([[10, 15], [5, 40]])
    resized = tf.data.Dataset.from_tensor_slices(sizes).map(lambda size: resize(tf.constant(gray), size))
    for size, actual in zip(sizes.numpy(), resized, strict=True):
        expected = Image.fromarray(gray[..., 0]).resize(size[::-1], Image.Resampling.BILINEAR)
        assert np.abs(actual[..., 0].numpy().astype(int) - np.asarray(expected)).max() <= 2


def test_one_color_stays_the_same() -> None:
    white = np.full((333, 77, 3), 255, np.uint8)
    assert (resize(tf.constant(white), (100, 50)) == 255).numpy().all()


@pytest.mark.parametrize("kind", [tf.uint8, tf.uint16, tf.float32])
def test_rare_places_give_the_same_pixels_with_one_function_for_all(kind: tf.DType) -> None:
    image = tf.constant(np.random.default_rng(0).uniform(0, 255, (40, 30, 3)), tf.float32)

    @tf.function(autograph=False)
    def twice(image: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return resize_rarely(image, [20, 10]), resize_rarely(image, [60, 70])

    traced = twice.get_concrete_function(tf.cast(image, kind))
    smaller, larger = traced(tf.cast(image, kind))
    np.testing.assert_array_equal(smaller, resize(tf.cast(image, kind), [20, 10]))
    np.testing.assert_array_equal(larger, resize(tf.cast(image, kind), [60, 70]))
    functions = traced.graph.as_graph_def().library.function
    assert sum("_by_products" in function.signature.name for function in functions) == 1
