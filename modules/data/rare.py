"""rare: keeps what few images need from slowing down all others."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf


def rare(function: Callable[..., Any]) -> Callable[..., Any]:
    """Returns the function as one node of a graph.

    TensorFlow inlines functions, and then visits every node of a branch for every image, even of one not taken. All
    calls with arguments of the same types share one traced function, so a model is traced, saved and loaded faster.
    Each call takes 0.04 ms longer.

    Args:
        function: Takes tensors and hashable values, such as types and numbers.
    """
    traced = tf.function(function, autograph=False, experimental_attributes={"_noinline": True})

    def called(*arguments: Any) -> Any:
        return function(*arguments) if tf.executing_eagerly() else traced(*arguments)

    return called
