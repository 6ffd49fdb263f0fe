"""precision: a context with a dtype policy of Keras."""

from collections.abc import Iterator
from contextlib import contextmanager

import keras


@contextmanager
def precision(name: str) -> Iterator[None]:
    """A context with this Keras dtype policy: float32, mixed_bfloat16 or mixed_float16.

    Weights and the statistics of normalization layers are always float32. With mixed_float16, Keras scales the loss,
    and skips steps that overflow.
    """
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
