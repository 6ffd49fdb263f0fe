"""rare_collections: less garbage collection during a run, whose graphs and pipelines are mostly no garbage."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_MORE_OBJECTS = 10_000  # between collections; Python's default is 700


@contextmanager
def rare_collections() -> Iterator[None]:
    """In the body, Python looks for garbage less often. It would take a second of a run with few images."""
    before = gc.get_threshold()
    gc.set_threshold(_MORE_OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
