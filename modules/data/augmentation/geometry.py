"""RandAugment's operations on places: nearest pixels, grey where there is no picture: uint8 [H, W, 3] -> the same."""

import math

import tensorflow as tf

FILL = 128.0


def rotate(picture: tf.Tensor, degrees: tf.Tensor) -> tf.Tensor:
    """Turns the picture around its middle, counter-clockwise."""
    radians = degrees * (math.pi / 180)
    cos, sin = tf.cos(radians), tf.sin(radians)
    return transform(picture, [[cos, -sin], [sin, cos]])


def shear_x(picture: tf.Tensor, slope: tf.Tensor) -> tf.Tensor:
    """Moves every row sideways, `slope` pixels more for each pixel from the middle."""
    return transform(picture, [[1.0, slope], [0.0, 1.0]])


def shear_y(picture: tf.Tensor, slope: tf.Tensor) -> tf.Tensor:
    """Moves every column up or down, `slope` pixels more for each pixel from the middle."""
    return transform(picture, [[1.0, 0.0], [slope, 1.0]])


def translate_x(picture: tf.Tensor, part: tf.Tensor) -> tf.Tensor:
    """Moves the picture to the left by that part of its width."""
    return transform(picture, [[1.0, 0.0], [0.0, 1.0]], (part * tf.cast(tf.shape(picture)[1], tf.float32), 0.0))


def translate_y(picture: tf.Tensor, part: tf.Tensor) -> tf.Tensor:
    """Moves the picture up by that part of its height."""
    return transform(picture, [[1.0, 0.0], [0.0, 1.0]], (0.0, part * tf.cast(tf.shape(picture)[0], tf.float32)))


def transform(
    picture: tf.Tensor,
    matrix: list[list[tf.Tensor | float]],
    shift: tuple[tf.Tensor | float, tf.Tensor | float] = (0, 0),
) -> tf.Tensor:
    """The pixel at p, seen from the middle, becomes the one at matrix · p + shift, with p = (x, y)."""
    (a, b), (c, d) = matrix
    size = tf.shape(picture)[:2]
    middle_y, middle_x = tf.unstack(tf.cast(size - 1, tf.float32) / 2)
    offset_x = middle_x - a * middle_x - b * middle_y + shift[0]
    offset_y = middle_y - c * middle_x - d * middle_y + shift[1]
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=picture[None],
        transforms=tf.stack([a, b, offset_x, c, d, offset_y, 0.0, 0.0])[None],
        output_shape=size,
        fill_value=FILL,
        interpolation="NEAREST",
        fill_mode="CONSTANT",
    )[0]
