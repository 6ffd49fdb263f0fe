"""Resizing with antialiasing, as Pillow and tf.image.resize do it, in less of the time (benchmarks/resizing.py).

A pixel of the result is a mean of those around its place, whose weights fall linearly to zero at a distance of one
pixel, or of `scale` pixels where the image shrinks by that (the triangle filter). Rows and columns go independently,
each as a product with a sparse matrix.
"""

import tensorflow as tf

_MANY = 3 * 2**21  # values of an image, from which on floats of them all cost much memory and save no time


def resize(image: tf.Tensor, size: tf.Tensor, extent: tf.Tensor | None = None) -> tf.Tensor:
    """Stretched to the size: uint8 [height, width, channels], int32 [2] -> uint8 [*size, channels].

    `extent`, float [2], is what counts of height and width where that is not all, such as half a pixel at the end.
    """
    shape = tf.shape(image)
    size = tf.convert_to_tensor(size)
    scale = tf.cast(shape[:2] if extent is None else extent, tf.float32) / tf.cast(size, tf.float32)
    # On a GPU the product would add in any order, and an image would go there and back.
    with tf.device("/cpu:0"):
        resized = tf.cond(
            tf.reduce_prod(shape) < _MANY,
            lambda: _by_products(image, size, scale),
            lambda: tf.raw_ops.ScaleAndTranslate(
                images=image[tf.newaxis], size=size, scale=1 / scale, translation=[0.0, 0.0], kernel_type="triangle"
            )[0],
        )
        return tf.cast(tf.round(resized), tf.uint8)  # means of bytes, so never beyond them


def _by_products(image: tf.Tensor, size: tf.Tensor, scale: tf.Tensor) -> tf.Tensor:
    height, width, channels = tf.unstack(tf.shape(image))
    rows = tf.reshape(tf.cast(image, tf.float32), [height, width * channels])
    rows = tf.sparse.sparse_dense_matmul(_weights(height, size[0], scale[0]), rows)  # [new height, width x channels]
    columns = tf.transpose(tf.reshape(rows, [size[0], width, channels]), [1, 0, 2])
    columns = tf.reshape(columns, [width, size[0] * channels])
    columns = tf.sparse.sparse_dense_matmul(_weights(width, size[1], scale[1]), columns)
    return tf.transpose(tf.reshape(columns, [size[1], size[0], channels]), [1, 0, 2])


def _weights(old: tf.Tensor, new: tf.Tensor, scale: tf.Tensor) -> tf.SparseTensor:
    """Of the old pixels in each new one, [new, old]."""
    reach = tf.maximum(scale, 1.0)
    center = (tf.range(tf.cast(new, tf.float32)) + 0.5) * scale - 0.5  # [new], in old pixels
    taps = 2 * tf.cast(tf.math.ceil(reach), tf.int32) + 1
    reached = tf.cast(tf.math.ceil(center - reach), tf.int32)[:, tf.newaxis] + tf.range(taps)  # [new, taps]
    weights = tf.nn.relu(1.0 - tf.abs(tf.cast(reached, tf.float32) - center[:, tf.newaxis]) / reach)
    weights = tf.where((reached >= 0) & (reached < old), weights, 0.0)
    weights /= tf.reduce_sum(weights, axis=1, keepdims=True)
    inside = tf.clip_by_value(reached, 0, old - 1)
    places = tf.stack([tf.repeat(tf.range(new), taps), tf.reshape(inside, [-1])], axis=1)
    return tf.SparseTensor(tf.cast(places, tf.int64), tf.reshape(weights, [-1]), tf.cast([new, old], tf.int64))
