"""Sample: an image in a file of many images. Reader: reads the samples of one format."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from efficientmixnet.components.image_example_gen.layout import Layout


@dataclass(frozen=True, slots=True)
class Sample:
    """One image of a file.

    Args:
        name: The name within the file.
        label: The class, as the file holds it.
        split: The split, as the file holds it.
        columns: Further features, as pairs of name and value.
        offset: The position of the encoded image in the file, if its bytes are contiguous there.
        size: The size of the encoded image in bytes.
        image: The encoded image, if it was asked for or read anyway.
        label_names: The names of labels that are numbers, if the file has them.
        fault: Why the sample cannot be used; empty if it can be.
        images: The number of images that it stands for if it cannot be used.
    """

    name: str
    label: Any = None
    split: Any = None
    columns: tuple[tuple[str, Any], ...] = ()
    offset: int | None = None
    size: int | None = None
    image: bytes | None = None
    label_names: tuple[str, ...] = ()
    fault: str = ""
    images: int = 1


class Reader(Protocol):
    """Reads files of one format, always in the same order."""

    def __call__(self, path: str, layout: Layout, with_images: bool, max_bytes: int) -> Iterator[Sample]:
        """Yields every sample of the file.

        Args:
            path: The file.
            layout: Where the file holds image and label.
            with_images: Whether samples have their encoded images.
            max_bytes: The largest size of an encoded image. Larger ones are not read.

        Raises:
            BadInput: The file has no image where the layout says.
            NoLabels: The file has no label there.
            DamagedFile: The rest of the file cannot be read.
        """
        ...
