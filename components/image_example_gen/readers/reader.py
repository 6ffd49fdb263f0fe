"""Sample: one image inside a file of many, as the file's own format tells it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from efficientmixnet.components.image_example_gen.layout import Layout


@dataclass(frozen=True, slots=True)
class Sample:
    """One record. A fault, in words, says why it is none; then there need be nothing else."""

    name: str  # within the file
    label: Any = None
    split: Any = None
    columns: tuple[tuple[str, Any], ...] = ()
    offset: int | None = None  # of the encoded image in the file, where it lies there in one piece
    size: int | None = None  # of the encoded image
    image: bytes | None = None  # its bytes, where they were asked for or had to be read anyway
    label_names: tuple[str, ...] = ()  # of labels that are numbers, where the file knows them
    fault: str = ""


class Reader(Protocol):
    """Reads one format. Each sample of a file has the same place in the order at every reading."""

    def __call__(self, path: str, layout: Layout, with_images: bool) -> Iterator[Sample]:
        """Every sample of the file.

        Raises:
            BadInput: the file has no image or no label where the layout says.
            DamagedFile: after the last sample that could be read.
        """
        ...
