"""precision: the arithmetic that a network is built with, for as long as it is built and trained."""

from collections.abc import Iterator
from contextlib import contextmanager

import keras


@contextmanager
def precision(name: str) -> Iterator[None]:
    """float32, mixed_bfloat16 or mixed_float16: weights are float32 in all of them, and so are normalisations' sums.

    With mixed_float16 Keras scales the loss when it compiles the model, and leaves out steps that overflow.
    """
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
