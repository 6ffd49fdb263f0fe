"""counted_images: counts the images that a TFX component reads, for its progress bar."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import apache_beam as beam

from efficientmixnet.modules import progress
from efficientmixnet.modules.data.record_counts import read_counts


def start_counting(uris: Iterable[str], splits: Iterable[str] | None = None) -> None:
    """Starts the progress of a component.

    Args:
        uris: The folders of the examples that it reads.
        splits: The splits that it reads; None: all.
    """
    counts = [read_counts(uri) for uri in uris]
    found = [one.records or 0 for of in counts for split, one in of.items() if splits is None or split in splits]
    progress.start(sum(found), "images")


@contextmanager
def counted_images(module: Any, transform: str) -> Iterator[None]:
    """In the body, the record batches that go into a transform of a library advance the progress.

    TFX calls the transform by its name, and has no other hook. Only images that this process reads are counted.

    Args:
        module: The library, such as tensorflow_data_validation.
        transform: The name of the transform in it.
    """
    original = getattr(module, transform)
    setattr(module, transform, lambda *args, **kwargs: _Counted(original(*args, **kwargs)))
    try:
        yield
    finally:
        setattr(module, transform, original)


class _Counted(beam.PTransform):
    """Counts images before a transform."""

    def __init__(self, transform: beam.PTransform) -> None:
        super().__init__()
        self._transform = transform

    def expand(self, batches: beam.PCollection) -> Any:
        return batches | "CountImages" >> beam.Map(_count) | self._transform


def _count(batch: Any) -> Any:
    progress.advance(batch.num_rows)
    return batch
