"""RandAugment's geometric operations: uint8 or float32 [H, W, C] -> [H, W, C].

All take the nearest pixel, and fill the space outside the image with gray. Images with another number of channels than
3 are reflected instead, because no value fits all channels.
"""

import math

import tensorflow as tf

FILL = 128.0


def rotate(image: tf.Tensor, degrees: tf.Tensor) -> tf.Tensor:
    """Rotates the image around its center, counterclockwise."""
    radians = degrees * (math.pi / 180)
    cos, sin = tf.cos(radians), tf.sin(radians)
    return transform(image, [[cos, -sin], [sin, cos]])


def shear_x(image: tf.Tensor, slope: tf.Tensor) -> tf.Tensor:
    """Shifts every row by `slope` pixels for each pixel of its distance from the center."""
    return transform(image, [[1.0, slope], [0.0, 1.0]])


def shear_y(image: tf.Tensor, slope: tf.Tensor) -> tf.Tensor:
    """Shifts every column by `slope` pixels for each pixel of its distance from the center."""
    return transform(image, [[1.0, 0.0], [slope, 1.0]])


def translate_x(image: tf.Tensor, fraction: tf.Tensor) -> tf.Tensor:
    """Moves the image to the left by this fraction of its width."""
    return transform(image, [[1.0, 0.0], [0.0, 1.0]], (fraction * tf.cast(tf.shape(image)[1], tf.float32), 0.0))


def translate_y(image: tf.Tensor, fraction: tf.Tensor) -> tf.Tensor:
    """Moves the image up by this fraction of its height."""
    return transform(image, [[1.0, 0.0], [0.0, 1.0]], (0.0, fraction * tf.cast(tf.shape(image)[0], tf.float32)))


def transform(
    image: tf.Tensor,
    matrix: list[list[tf.Tensor | float]],
    shift: tuple[tf.Tensor | float, tf.Tensor | float] = (0, 0),
) -> tf.Tensor:
    """Sets the pixel at p = (x, y), relative to the center, to the one at matrix · p + shift."""
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
        fill_mode="CONSTANT" if image.shape[-1] == 3 else "REFLECT",
    )[0]
