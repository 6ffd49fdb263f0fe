"""imports_at_once: faster imports of TFX, a third of whose time is garbage collection."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def imports_at_once() -> Iterator[None]:
    """Turns garbage collection off in its body. Later collections skip the objects that were created in it."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_on:
            gc.enable()
