"""rare_branch: keeps a branch that few images take from slowing down all others."""

from collections.abc import Callable

import tensorflow as tf


def rare_branch(function: Callable[[], tf.Tensor]) -> Callable[[], tf.Tensor]:
    """Returns the branch of a `tf.cond` as one node of the graph.

    TensorFlow inlines functions, and then visits every node of a branch for every image, even of one not taken.

    Args:
        function: The branch.
    """

    def called() -> tf.Tensor:
        if tf.executing_eagerly():
            return function()
        return tf.function(function, autograph=False, experimental_attributes={"_noinline": True})()

    return called
