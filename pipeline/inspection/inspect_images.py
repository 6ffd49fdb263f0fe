"""inspect_images: opens every image of a dataset, and counts classes, sizes, formats, duplicates and corrupt files.

It needs neither TensorFlow nor TFX. Memory holds a few numbers for each image, and the thumbnails of the samples.
"""

import base64
import hashlib
import io
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from PIL import Image

from efficientmixnet.components.image_example_gen.entry import MAX_IMAGE_BYTES, Entry, LeftOut
from efficientmixnet.components.image_example_gen.findings import Copy, Duplicates
from efficientmixnet.components.image_example_gen.image_header import open_image
from efficientmixnet.components.image_example_gen.layout import Layout
from efficientmixnet.components.image_example_gen.map_in_threads import map_in_threads
from efficientmixnet.components.image_example_gen.near_duplicates import gray_pixels, near_duplicates, perceptual_hash
from efficientmixnet.components.image_example_gen.readers.by_format import images_of
from efficientmixnet.components.image_example_gen.sources import Sources, name_hash
from efficientmixnet.modules import features
from efficientmixnet.modules.exceptions import BadImage

SAMPLES = 12  # for each class
_THUMBNAIL = 128  # pixels, the longer side


@dataclass(frozen=True)
class Opened:
    """An image that can be read."""

    entry: Entry
    format: str
    mode: str  # Pillow's color mode, such as RGB
    width: int  # pixels
    height: int
    size: int  # bytes
    digest: bytes
    thumbnail: str | None  # for samples: a JPEG file as a data: URL
    gray: bytes  # the pixels of the perceptual hash


@dataclass
class Inspection:
    """The counts of a dataset."""

    counts: dict[str, Counter[str]]  # images by split and label
    formats: Counter[str] = field(default_factory=Counter)  # with the mode, such as JPEG RGB
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)  # width and height
    bytes: int = 0  # the size of all images together
    left_out: list[LeftOut] = field(default_factory=list)
    samples: dict[str, list[tuple[str, str]]] = field(default_factory=lambda: defaultdict(list))  # name, thumbnail
    described: list[tuple[str, str, str, int, int]] = field(default_factory=list)  # label, format, mode, size
    duplicates: Duplicates = field(default_factory=lambda: Duplicates(()))
    near_duplicates: Duplicates = field(default_factory=lambda: Duplicates(()))

    @property
    def images(self) -> int:
        """The number of images that can be read."""
        return sum(labels.total() for labels in self.counts.values())

    @property
    def labels(self) -> list[str]:
        """All classes, largest first."""
        total: Counter[str] = sum(self.counts.values(), Counter())
        return sorted(total, key=lambda label: (-total[label], label))


def inspect_images(
    sources: Sources,
    layout: Layout,
    splits: Mapping[str, float],
    max_pixels: int,
    progress: Callable[[], None] = lambda: None,
    max_image_bytes: int = MAX_IMAGE_BYTES,
    channels: int = 3,
    bands: Sequence[int] | None = None,
) -> Inspection:
    """Opens and counts every image.

    Args:
        sources: The images, each with its split.
        layout: The section data.layout of the configuration.
        splits: The fraction of each split.
        max_pixels: Images with more pixels are left out.
        progress: Is called after each image.
        max_image_bytes: Larger images are left out.
        channels: Images with another number of channels are left out.
        bands: The channels that samples show as red, green and blue; None: the first three.

    Returns:
        The counts, the samples and the files that were left out.
    """
    found = Inspection({split: Counter() for split in splits}, left_out=list(sources.left_out))
    sampled = _sampled(sources.entries)
    copies: dict[bytes, list[Copy]] = defaultdict(list)
    looks: list[tuple[bytes, Copy]] = []
    opening = partial(_open, max_pixels=max_pixels, max_bytes=max_image_bytes, channels=channels, bands=bands)
    images = images_of(sources.entries, sources.format, layout, max_image_bytes)
    for opened in map_in_threads(lambda pair: opening(pair[0], pair[1], pair[0].name in sampled), images):
        progress()
        if isinstance(opened, LeftOut):
            found.left_out.append(opened)
            continue
        entry, split = opened.entry, str(opened.entry.split)
        found.counts.setdefault(split, Counter())[entry.label] += 1
        found.formats[f"{opened.format} {opened.mode}"] += 1
        found.sizes[opened.width, opened.height] += 1
        found.bytes += opened.size
        found.described.append((entry.label, opened.format, opened.mode, opened.width, opened.height))
        copies[opened.digest].append(Copy(entry.name, entry.label, split))
        if opened.gray:
            looks.append((perceptual_hash(opened.gray), copies[opened.digest][-1]))
        if opened.thumbnail:
            found.samples[entry.label].append((entry.name, opened.thumbnail))
    found.duplicates = Duplicates.of(group for group in copies.values() if len(group) > 1)
    found.near_duplicates = _near_duplicates(looks).without(found.duplicates)
    return found


def _near_duplicates(looks: list[tuple[bytes, Copy]]) -> Duplicates:
    splits = list(dict.fromkeys(copy.split for _, copy in looks))
    groups = near_duplicates(b"".join(look for look, _ in looks), [splits.index(copy.split) for _, copy in looks])
    return Duplicates.of([looks[row][1] for row in group] for group in groups)


def _sampled(entries: Iterable[Entry]) -> frozenset[str]:
    """The names of a few images of each class. The choice depends only on the names."""
    by_label: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for entry in entries:
        by_label[entry.label].append((name_hash(entry.name), entry.name))
    return frozenset(name for names in by_label.values() for _, name in sorted(names)[:SAMPLES])


def _open(
    entry: Entry,
    encoded: bytes | LeftOut,
    with_thumbnail: bool,
    max_pixels: int,
    max_bytes: int,
    channels: int,
    bands: Sequence[int] | None,
) -> Opened | LeftOut:
    if isinstance(encoded, LeftOut):
        return encoded
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about odd metadata
            image = open_image(encoded, max_pixels, channels, max_bytes)
            small = image.thumbnail(_THUMBNAIL, bands)
            gray = gray_pixels(image.levels() if image.is_deep else small)  # Dark levels of 16 bits are black in 8.
            image.check(_THUMBNAIL)
    except BadImage as error:
        return LeftOut.because(entry.name, error, encoded if entry.size is None and entry.row is None else None)
    digest = hashlib.blake2b(encoded, digest_size=16).digest()
    thumbnail = _data_url(small) if with_thumbnail else None
    return Opened(entry, image.format, image.mode, *image.size, len(encoded), digest, thumbnail, gray)


def _data_url(image: Image.Image) -> str:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=80)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"


def side_buckets(sizes: Mapping[tuple[int, int], int]) -> Iterator[tuple[str, int]]:
    """Yields the number of images by their shorter side, in buckets that are powers of two."""
    buckets: Counter[str] = Counter()
    for width, height in sorted(sizes, key=min):
        buckets[features.size_bucket(height, width)] += sizes[width, height]
    yield from buckets.items()
