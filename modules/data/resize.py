"""resize: resizes an image with antialiasing, like Pillow and tf.image.resize, but faster (benchmarks/resizing.py).

Each new pixel is a weighted mean of the old pixels around it. The weights fall linearly to zero at a distance of one
pixel, or of `scale` pixels if the image shrinks by that factor (the triangle filter). Rows and columns are resized
separately, each by a product with a sparse matrix.
"""

import tensorflow as tf

_MANY = 3 * 2**21  # values of an image; above that, the products take much memory and are not faster


def resize(image: tf.Tensor, size: tf.Tensor, extent: tf.Tensor | None = None, is_rare: bool = False) -> tf.Tensor:
    """Resizes an image to this size, without regard to its aspect ratio.

    Args:
        image: uint8, uint16 or float32 [height, width, channels].
        size: The new height and width, int32 [2].
        extent: The height and width to use, float [2], if the last row or column counts only in part.
        is_rare: Whether few images take this branch. All rare branches of a graph share one function, so that a model
            is traced, saved and loaded faster. Each call takes 0.04 ms longer.

    Returns:
        [*size, channels], of the same type.
    """
    shape = tf.shape(image)
    size = tf.convert_to_tensor(size)
    scale = tf.cast(shape[:2] if extent is None else extent, tf.float32) / tf.cast(size, tf.float32)

    def by_products() -> tf.Tensor:
        if is_rare:
            return _shared(tf.cast(image, tf.float32), size, scale)
        return _by_products(image, size, scale)

    # A GPU would add in an undefined order, and the image would have to be copied there and back.
    with tf.device("/cpu:0"):
        resized = tf.cond(
            tf.reduce_prod(shape) < _MANY,
            by_products,
            lambda: tf.raw_ops.ScaleAndTranslate(
                images=image[tf.newaxis], size=size, scale=1 / scale, translation=[0.0, 0.0], kernel_type="triangle"
            )[0],
        )
        # A mean is always within the range of the type.
        return tf.cast(tf.round(resized), image.dtype) if image.dtype.is_integer else resized


def _by_products(image: tf.Tensor, size: tf.Tensor, scale: tf.Tensor) -> tf.Tensor:
    height, width, channels = tf.unstack(tf.shape(image))
    rows = tf.reshape(tf.cast(image, tf.float32), [height, width * channels])
    rows = tf.sparse.sparse_dense_matmul(_weights(height, size[0], scale[0]), rows)  # [new height, width x channels]
    columns = _transposed(rows, size[0], width, channels)
    columns = tf.sparse.sparse_dense_matmul(_weights(width, size[1], scale[1]), columns)
    return tf.reshape(_transposed(columns, size[1], size[0], channels), [size[0], size[1], channels])


_shared = tf.function(
    _by_products,
    input_signature=[
        tf.TensorSpec([None, None, None], tf.float32),
        tf.TensorSpec([2], tf.int32),
        tf.TensorSpec([2], tf.float32),
    ],
    autograph=False,
    experimental_attributes={"_noinline": True},
)


def _transposed(rows: tf.Tensor, height: tf.Tensor, width: tf.Tensor, channels: tf.Tensor) -> tf.Tensor:
    """Transposes rows and columns: [height, width x channels] -> [width, height x channels].

    `tf.transpose` copies value by value. `tf.batch_to_space` copies whole pixels, in a third to half of the time.
    """
    pixels = tf.reshape(rows, [height, width, channels])
    transposed = tf.batch_to_space(pixels, block_shape=[height], crops=[[0, 0]])  # [1, width x height, channels]
    return tf.reshape(transposed, [width, height * channels])


def _weights(old: tf.Tensor, new: tf.Tensor, scale: tf.Tensor) -> tf.SparseTensor:
    """Returns the weight of each old pixel in each new pixel, [new, old]."""
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
