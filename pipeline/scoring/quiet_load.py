"""quiet_load: discards what C++ libraries print while TensorFlow or a model is loaded.

An error is an exception, which has the reason. TensorFlow 2.21 prints notes whatever TF_CPP_MIN_LOG_LEVEL says.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet_load() -> Iterator[None]:
    """Discards standard error in the body, also that of C++ libraries."""
    if sys.stderr is None:  # it is closed
        yield
        return
    sys.stderr.flush()
    real = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    try:
        yield
    finally:
        os.dup2(real, 2)
        os.close(real)
