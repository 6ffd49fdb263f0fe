"""shrinking: images.shrink for batches, as one node of a graph that is traced only once.

TFX reloads the module of preprocessing_fn, so the traced function is kept here.
"""

from collections.abc import Callable
from functools import cache

import tensorflow as tf

from efficientmixnet.modules.data import images


@cache
def shrinking(shorter_side: int, channels: int) -> Callable[[tf.Tensor], tf.Tensor]:
    """Returns images.shrink as a function from bytes [batch] to bytes [batch].

    It is one node, because TFT walks through the whole graph for every analyzer. It is traced once, and not each time
    that TFT traces preprocessing_fn. It is called as a stateless node. TensorFlow takes a function with assertions for
    a stateful one, which TFT would also run for the analyzers: they need no pixels, but would resize every image.
    """

    @tf.function(autograph=False)
    def shrink(encoded: tf.Tensor) -> tf.Tensor:
        return tf.map_fn(lambda one: images.shrink(one, shorter_side, channels), encoded)

    with tf.init_scope():
        traced = shrink.get_concrete_function(tf.TensorSpec([None], tf.string))
    return lambda encoded: tf.raw_ops.PartitionedCall(args=[encoded], Tout=[tf.string], f=traced)[0]
