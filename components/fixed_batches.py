"""fixed_batches: batches of the same size in every run."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tfx_bsl.coders import batch_util

SIZE = 64  # images


@contextmanager
def fixed_batches() -> Iterator[None]:
    """In the body, pipelines that are built read examples in batches of `SIZE`.

    Beam would choose the sizes by the speed of the machine. A model and a mean round a little differently in other
    batches, so Evaluator would measure other metrics of the same model in every run, and Transform would compute other
    means of the same images. These components of TFX cannot give the size to their source.
    """
    original = batch_util.GetBatchElementsKwargs

    def fixed(batch_size: int | None, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return dict(original(batch_size or SIZE, *args, **kwargs))

    batch_util.GetBatchElementsKwargs = fixed
    try:
        yield
    finally:
        batch_util.GetBatchElementsKwargs = original
