"""resize: resizes an image with antialiasing, like Pillow and tf.image.resize, but faster (benchmarks/resizing.py).

Each new pixel is a weighted mean of the old pixels around it. The weights fall linearly to zero at a distance of one
pixel, or of `scale` pixels if the image shrinks by that factor (the triangle filter). Rows and columns are resized
separately, each by a product with a sparse matrix.
"""

from collections.abc import Callable

import tensorflow as tf

from efficientmixnet.modules.data.rare import rare

_MANY = 3 * 2**21  # values of an image; above that, the products take much memory and are not faster


def resize(image: tf.Tensor, size: tf.Tensor, extent: tf.Tensor | None = None) -> tf.Tensor:
    """Resizes an image to this size, without regard to its aspect ratio.

    Args:
        image: uint8, uint16 or float32 [height, width, channels].
        size: The new height and width, int32 [2].
        extent: The height and width to use, float [2], if the last row or column counts only in part.

    Returns:
        [*size, channels], of the same type.
    """
    return _resize(image, size, extent, _by_products)


def _resize(
    image: tf.Tensor, size: tf.Tensor, extent: tf.Tensor | None, products: Callable[..., tf.Tensor]
) -> tf.Tensor:
    shape = tf.shape(image)
    size = tf.convert_to_tensor(size)
    scale = tf.cast(shape[:2] if extent is None else extent, tf.float32) / tf.cast(size, tf.float32)
    # A GPU would add in an undefined order, and the image would have to be copied there and back.
    with tf.device("/cpu:0"):
        resized = tf.cond(
            tf.reduce_prod(shape) < _MANY,
            lambda: products(tf.cast(image, tf.float32), size, scale),
            lambda: tf.raw_ops.ScaleAndTranslate(
                images=image[tf.newaxis], size=size, scale=1 / scale, translation=[0.0, 0.0], kernel_type="triangle"
            )[0],
        )
        # A mean is always within the range of the type.
        return tf.cast(tf.round(resized), image.dtype) if image.dtype.is_integer else resized


def _by_products(image: tf.Tensor, size: tf.Tensor, scale: tf.Tensor) -> tf.Tensor:
    height, width, channels = tf.unstack(tf.shape(image))
    new_height, new_width = tf.unstack(size)
    scales = tf.unstack(scale)
    rows = tf.reshape(image, [height, width * channels])
    rows = _product(_weights(height, new_height, scales[0]), rows)  # [new height, width x channels]
    columns = _transposed(rows, new_height, width, channels)
    columns = _product(_weights(width, new_width, scales[1]), columns)
    return tf.reshape(_transposed(columns, new_width, new_height, channels), [new_height, new_width, channels])


_rare_products = rare(_by_products)


@rare
def resize_rarely(image: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    """Does the same as `resize` where few images take this branch."""
    return _resize(image, size, None, _rare_products)


def _transposed(rows: tf.Tensor, height: tf.Tensor, width: tf.Tensor, channels: tf.Tensor) -> tf.Tensor:
    """Transposes rows and columns: [height, width x channels] -> [width, height x channels].

    `tf.transpose` copies value by value. `tf.batch_to_space` copies whole pixels, in a third to half of the time.
    """
    pixels = tf.reshape(rows, [height, width, channels])
    transposed = tf.batch_to_space(pixels, block_shape=[height], crops=[[0, 0]])  # [1, width x height, channels]
    return tf.reshape(transposed, [width, height * channels])


def _product(weights: tuple[tf.Tensor, tf.Tensor, tf.Tensor], values: tf.Tensor) -> tf.Tensor:
    indices, weight, shape = weights
    return tf.raw_ops.SparseTensorDenseMatMul(a_indices=indices, a_values=weight, a_shape=shape, b=values)


def _weights(old: tf.Tensor, new: tf.Tensor, scale: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Returns the weight of each old pixel in each new pixel, as the parts of a sparse matrix [new, old]."""
    reach = tf.maximum(scale, 1.0)
    rows = tf.range(new)
    center = tf.expand_dims((tf.cast(rows, tf.float32) + 0.5) * scale - 0.5, 1)  # [new, 1], in old pixels
    taps = tf.range(2 * tf.cast(tf.math.ceil(reach), tf.int32) + 1)
    reached = tf.cast(tf.math.ceil(center - reach), tf.int32) + taps  # [new, taps]
    weights = tf.nn.relu(1.0 - tf.abs(tf.cast(reached, tf.float32) - center) / reach)
    inside = tf.clip_by_value(reached, 0, old - 1)
    weights = tf.where(reached == inside, weights, 0.0)
    weights /= tf.reduce_sum(weights, axis=1, keepdims=True)
    places = tf.stack([tf.broadcast_to(tf.expand_dims(rows, 1), tf.shape(reached)), inside], axis=2)
    return tf.reshape(places, [-1, 2]), tf.reshape(weights, [-1]), tf.cast([new, old], tf.int64)
