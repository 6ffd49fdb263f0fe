"""find_channels: finds the number of channels of a dataset by its first images."""

from collections import Counter
from collections.abc import Iterator
from itertools import islice

from efficientmixnet.components.image_example_gen.entry import MAX_IMAGE_BYTES, Entry
from efficientmixnet.components.image_example_gen.image_header import open_image
from efficientmixnet.components.image_example_gen.layout import Layout
from efficientmixnet.components.image_example_gen.readers.by_format import images_of
from efficientmixnet.components.image_example_gen.sources import Sources, name_hash
from efficientmixnet.modules import progress
from efficientmixnet.modules.exceptions import BadImage, BadInput

_IMAGES = 20


def find_channels(sources: Sources, layout: Layout, max_bytes: int = MAX_IMAGE_BYTES) -> int:
    """Returns the number of channels that most of the first images have, and prints it.

    Gray photographs fit 3 channels too, so 3 is returned if some of the photographs are in color.

    Args:
        sources: The images.
        layout: The layout of the data.
        max_bytes: The largest size of an image.

    Raises:
        BadInput: None of the first images can be read.
    """
    found = Counter(islice(_each(sources, layout, max_bytes), _IMAGES))
    if not found:
        raise BadInput("data.channels: auto finds no image that can be read; give a number, such as 3")
    color = (3, False)
    if found[color]:
        found[color] += found.pop((1, False), 0)
    (channels, _), count = found.most_common(1)[0]
    progress.tell(f"data.channels: {channels}, as in {count} of the first {found.total()} images")
    return channels


def _each(sources: Sources, layout: Layout, max_bytes: int) -> Iterator[tuple[int, bool]]:
    """Yields the number of channels of each image that can be read, and whether it is an array."""
    for _, encoded in images_of(_first(sources), sources.format, layout, max_bytes):
        if isinstance(encoded, bytes):
            try:
                image = open_image(encoded, channels=None, max_bytes=max_bytes)
            except BadImage:
                continue  # ImageExampleGen reports it
            yield image.channels, image.is_array


def _first(sources: Sources) -> list[Entry]:
    """Returns a few images, by the hashes of their names. An archive is read from its beginning."""
    first = sources.entries[0]
    if first.row is not None:
        return sorted((one for one in sources.entries if one.path == first.path), key=lambda one: one.row or 0)[
            :_IMAGES
        ]
    return sorted(sources.entries, key=lambda entry: name_hash(entry.name))[: 2 * _IMAGES]
