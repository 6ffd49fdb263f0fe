"""RandAugment's color operations, as in Pillow's ImageOps and ImageEnhance: [H, W, 3] -> [H, W, 3], from 0 to 255.

uint8 images are rounded as Pillow rounds them. float32 images keep their precision, except in `equalize` and
`posterize`, whose results have few levels.
"""

import tensorflow as tf


def auto_contrast(image: tf.Tensor) -> tf.Tensor:
    """Stretches every channel to the range from 0 to 255."""
    levels = tf.cast(image, tf.float64)  # as in Pillow, which rounds down, so that a small error would show
    low = tf.reduce_min(levels, axis=(0, 1))  # [3]
    high = tf.reduce_max(levels, axis=(0, 1))
    scale = 255 / tf.maximum(high - low, 1)
    stretched = tf.clip_by_value(levels * scale + (-low * scale), 0, 255)
    return tf.cast(tf.where(high > low, stretched, levels), image.dtype)


def equalize(image: tf.Tensor) -> tf.Tensor:
    """Equalizes the histogram of every channel."""
    return tf.stack([equalize_channel(channel) for channel in tf.unstack(image, num=3, axis=-1)], axis=-1)


def equalize_channel(channel: tf.Tensor) -> tf.Tensor:
    """Equalizes the histogram of one channel: [H, W] -> [H, W]."""
    levels = tf.clip_by_value(tf.cast(channel, tf.int32), 0, 255)  # floats of an array may be beyond
    histogram = tf.math.bincount(tf.reshape(levels, [-1]), minlength=256, maxlength=256)
    # Pillow's table: the number of darker pixels, in steps of 1/255 of all pixels below the highest level.
    step = (tf.size(levels) - histogram[tf.reduce_max(levels)]) // 255
    below = tf.cumsum(histogram, exclusive=True)
    table = tf.minimum((below + step // 2) // tf.maximum(step, 1), 255)
    return tf.cast(tf.where(step > 0, tf.gather(table, levels), levels), channel.dtype)


def posterize(image: tf.Tensor, bits: tf.Tensor) -> tf.Tensor:
    """Keeps the highest `bits` bits of every value."""
    dropped = tf.cast(8 - bits, tf.int32)
    levels = tf.cast(image, tf.int32)
    return tf.cast(tf.bitwise.left_shift(tf.bitwise.right_shift(levels, dropped), dropped), image.dtype)


def solarize(image: tf.Tensor, threshold: tf.Tensor) -> tf.Tensor:
    """Inverts every value at or above the threshold."""
    return tf.where(tf.cast(image, tf.float32) < threshold, image, 255 - image)


def color(image: tf.Tensor, factor: tf.Tensor) -> tf.Tensor:
    """Changes the saturation: a factor of 0 gives gray, 1 the image, more than 1 stronger colors."""
    return blend(tf.broadcast_to(gray(image), tf.shape(image)), image, factor)


def contrast(image: tf.Tensor, factor: tf.Tensor) -> tf.Tensor:
    """Changes the contrast: a factor of 0 gives the mean gray, 1 the image, more than 1 more contrast."""
    mean = tf.floor(tf.reduce_mean(tf.cast(gray(image), tf.float32)) + 0.5)
    return blend(tf.fill(tf.shape(image), tf.cast(mean, image.dtype)), image, factor)


def brightness(image: tf.Tensor, factor: tf.Tensor) -> tf.Tensor:
    """Changes the brightness: a factor of 0 gives black, 1 the image, more than 1 a brighter image."""
    return blend(tf.zeros_like(image), image, factor)


def sharpness(image: tf.Tensor, factor: tf.Tensor) -> tf.Tensor:
    """Changes the sharpness: a factor of 0 gives a smooth image, 1 the image. Pixels at the edge do not change."""
    levels = tf.cast(image, tf.float32)
    kernel = tf.constant([[1.0, 1, 1], [1, 5, 1], [1, 1, 1]])[:, :, None, None]  # [3, 3, 1, 1]
    summed = tf.nn.depthwise_conv2d(levels[None], tf.tile(kernel, [1, 1, 3, 1]), [1, 1, 1, 1], "VALID")[0]
    smooth = tf.pad(tf.floor(summed / 13 + 0.5) if image.dtype.is_integer else summed / 13, [[1, 1], [1, 1], [0, 0]])
    rows, columns = tf.range(tf.shape(image)[0])[:, None, None], tf.range(tf.shape(image)[1])[None, :, None]
    edge = (rows == 0) | (rows == tf.shape(image)[0] - 1) | (columns == 0) | (columns == tf.shape(image)[1] - 1)
    return blend(tf.cast(tf.where(edge, levels, smooth), image.dtype), image, factor)


def gray(image: tf.Tensor) -> tf.Tensor:
    """ITU-R 601 luma with 16 fractional bits, as in Pillow: [H, W, 3] -> [H, W, 1]."""
    weights = [19595, 38470, 7471]
    if image.dtype.is_floating:
        return tf.reduce_sum(image * tf.constant(weights, image.dtype), axis=-1, keepdims=True) / 65536
    weighted = tf.cast(image, tf.int32) * tf.constant(weights)
    return tf.cast((tf.reduce_sum(weighted, axis=-1, keepdims=True) + 32768) // 65536, image.dtype)


def blend(zero: tf.Tensor, one: tf.Tensor, factor: tf.Tensor) -> tf.Tensor:
    """zero + factor · (one - zero), clipped to the range from 0 to 255; integers are rounded down."""
    kind = one.dtype
    zero, one = tf.cast(zero, tf.float32), tf.cast(one, tf.float32)
    return tf.cast(tf.clip_by_value(zero + factor * (one - zero), 0.0, 255.0), kind)
