"""fixed_batches: batches of the same size in every evaluation."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tfx_bsl.coders import batch_util

SIZE = 64  # images


@contextmanager
def fixed_batches() -> Iterator[None]:
    """In the body, pipelines that are built read examples in batches of `SIZE`.

    Beam would choose the sizes by the speed of the machine. A model rounds a little differently in other batches, so
    the same model would get other metrics in every run. TFX's Evaluator cannot give the size to its source.
    """
    original = batch_util.GetBatchElementsKwargs

    def fixed(batch_size: int | None, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return dict(original(batch_size or SIZE, *args, **kwargs))

    batch_util.GetBatchElementsKwargs = fixed
    try:
        yield
    finally:
        batch_util.GetBatchElementsKwargs = original
