"""without_optimizer: TensorFlow runs graphs as they are, where optimizing them takes longer than it saves."""

from collections.abc import Iterator
from contextlib import contextmanager

import tensorflow as tf


@contextmanager
def without_optimizer() -> Iterator[None]:
    """In the body, TensorFlow does not optimize the graphs that it runs for the first time.

    It would optimize each of Transform's graphs, for a second in all. The graph of an image has nothing to optimize:
    its pixels are the same and take as long. The class activation maps of a report are for a few images.
    """
    before = tf.config.optimizer.get_experimental_options()
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    try:
        yield
    finally:
        tf.config.optimizer.set_experimental_options(before)
