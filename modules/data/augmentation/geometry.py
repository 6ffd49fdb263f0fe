"""RandAugment's operations on places: nearest pixels, gray where there is no image: uint8 [H, W, 3] -> the same."""

import math

import tensorflow as tf

FILL = 128.0


def rotate(image: tf.Tensor, degrees: tf.Tensor) -> tf.Tensor:
    """Turns the image around its middle, counter-clockwise."""
    radians = degrees * (math.pi / 180)
    cos, sin = tf.cos(radians), tf.sin(radians)
    return transform(image, [[cos, -sin], [sin, cos]])


def shear_x(image: tf.Tensor, slope: tf.Tensor) -> tf.Tensor:
    """Moves every row sideways, `slope` pixels more for each pixel from the middle."""
    return transform(image, [[1.0, slope], [0.0, 1.0]])


def shear_y(image: tf.Tensor, slope: tf.Tensor) -> tf.Tensor:
    """Moves every column up or down, `slope` pixels more for each pixel from the middle."""
    return transform(image, [[1.0, 0.0], [slope, 1.0]])


def translate_x(image: tf.Tensor, part: tf.Tensor) -> tf.Tensor:
    """Moves the image to the left by that part of its width."""
    return transform(image, [[1.0, 0.0], [0.0, 1.0]], (part * tf.cast(tf.shape(image)[1], tf.float32), 0.0))


def translate_y(image: tf.Tensor, part: tf.Tensor) -> tf.Tensor:
    """Moves the image up by that part of its height."""
    return transform(image, [[1.0, 0.0], [0.0, 1.0]], (0.0, part * tf.cast(tf.shape(image)[0], tf.float32)))


def transform(
    image: tf.Tensor,
    matrix: list[list[tf.Tensor | float]],
    shift: tuple[tf.Tensor | float, tf.Tensor | float] = (0, 0),
) -> tf.Tensor:
    """The pixel at p, seen from the middle, becomes the one at matrix · p + shift, with p = (x, y)."""
    (a, b), (c, d) = matrix
    size = tf.shape(image)[:2]
    middle_y, middle_x = tf.unstack(tf.cast(size - 1, tf.float32) / 2)
    offset_x = middle_x - a * middle_x - b * middle_y + shift[0]
    offset_y = middle_y - c * middle_x - d * middle_y + shift[1]
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=image[None],
        transforms=tf.stack([a, b, offset_x, c, d, offset_y, 0.0, 0.0])[None],
        output_shape=size,
        fill_value=FILL,
        interpolation="NEAREST",
        fill_mode="CONSTANT",
    )[0]
