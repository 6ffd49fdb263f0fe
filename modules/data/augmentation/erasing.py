"""erase: random erasing, which replaces a rectangle of the image with noise: pixels of the image, if it is not RGB.

Zhong et al., Random Erasing Data Augmentation, AAAI 2020, https://arxiv.org/abs/1708.04896
"""

import math

import tensorflow as tf

AREAS = (0.02, 1 / 3)  # of the image
ASPECT_RATIOS = (0.3, 1 / 0.3)


def erase(image: tf.Tensor, probability: float, seed: tf.Tensor) -> tf.Tensor:
    """Fills a random rectangle with noise, with this probability: uint8 or float32 [H, W, C] -> [H, W, C]."""
    height, width = tf.shape(image)[0], tf.shape(image)[1]
    top, bottom, left, right = tf.unstack(draw_box(height, width, probability, seed))
    rows, columns = tf.range(height)[:, None, None], tf.range(width)[None, :, None]
    inside = (rows >= top) & (rows < bottom) & (columns >= left) & (columns < right)
    return tf.where(inside, _noise(image, seed), image)


def draw_box(height: tf.Tensor, width: tf.Tensor, probability: float, seed: tf.Tensor) -> tf.Tensor:
    """Draws the rectangle to erase: its top, bottom, left and right, int32 [4], all 0 if nothing is erased."""
    seeds = tf.unstack(tf.random.experimental.stateless_split(seed, 3))
    area = tf.random.stateless_uniform([], seeds[0], *AREAS) * tf.cast(height * width, tf.float32)
    # The logarithm is uniform, so that tall rectangles are as frequent as wide ones.
    ratio = tf.exp(tf.random.stateless_uniform([], seeds[1], *map(math.log, ASPECT_RATIOS)))
    box_height = tf.minimum(tf.cast(tf.round(tf.sqrt(area * ratio)), tf.int32), height)
    box_width = tf.minimum(tf.cast(tf.round(tf.sqrt(area / ratio)), tf.int32), width)

    chance, down, right = tf.unstack(tf.random.stateless_uniform([3], seeds[2]))
    top = tf.cast(down * tf.cast(height - box_height + 1, tf.float32), tf.int32)
    left = tf.cast(right * tf.cast(width - box_width + 1, tf.float32), tf.int32)
    return tf.where(chance < probability, tf.stack([top, top + box_height, left, left + box_width]), 0)


def _noise(image: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    if image.shape[-1] == 3:
        return tf.cast(tf.random.stateless_uniform(tf.shape(image), seed, 0, 256, tf.int32), image.dtype)
    pixels = tf.reshape(image, [-1, image.shape[-1]])  # [H x W, C], whose range is not known otherwise
    return tf.gather(pixels, tf.random.stateless_uniform(tf.shape(image)[:2], seed, 0, tf.shape(pixels)[0], tf.int32))
