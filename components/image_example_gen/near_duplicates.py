"""near_duplicates: finds the same image at another size or quality, by a perceptual hash.

pHash keeps the signs of the 256 lowest frequencies of the gray image. Copies of a photograph at half the size, or with
strong JPEG compression, differ in about 6 of the 256 bits. Different photographs differ in more than 30.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import imagehash
import numpy as np
from PIL import Image

HASH_BYTES = 32
_SIDE = 16  # bits, of the square of frequencies
_PIXELS = 32  # the side of the gray image. Smaller images have too little detail to tell them apart.
_LEAST_CONTRAST = 4  # gray levels. With fewer, an image is of one color, and its hash that of noise.
_MOST_BITS = 20  # by which copies may differ
_BAND_BITS = np.uint16  # Copies share one of the 16 bands of 16 bits with a probability above 99 %.
_NEIGHBORS = 16  # images of a band that an image is compared with, so that equal bands do not take quadratic time
_ONES = np.array([bin(byte).count("1") for byte in range(256)], dtype=np.uint8)


def gray_pixels(image: Image.Image | np.ndarray) -> bytes:
    """Returns an image in gray with 32 x 32 pixels, or no bytes for an image that is smaller or of one color.

    Args:
        image: Pillow's image, or pixels of 8 or 16 bits [height, width, channels].
    """
    gray = _gray(image)
    if min(gray.size) < _PIXELS:
        return b""
    # Pillow's box filter is several times as fast as the filter that imagehash uses for larger images.
    small = np.asarray(gray.resize((_PIXELS, _PIXELS), Image.Resampling.BOX))
    contrast = small.max() - small.min()
    if contrast < _LEAST_CONTRAST:
        return b""
    if small.dtype != np.uint8:
        # Many cameras and scanners use few of the 16 bits. By the range of the type, all their images would be black.
        small = np.round((small - small.min()) * (255 / contrast)).astype(np.uint8)
    return small.tobytes()


def _gray(image: Image.Image | np.ndarray) -> Image.Image:
    """Returns an image in gray, of 8 bits, or of floats if it has 16 bits."""
    if isinstance(image, np.ndarray):
        colors = image[..., :3] if image.shape[-1] >= 3 else image[..., :1]
        if image.shape[-1] in (2, 4):  # A drawing may be in the alpha alone.
            white = np.iinfo(image.dtype).max
            alpha = image[..., -1:] / white
            colors = np.round(colors * alpha + white * (1 - alpha)).astype(image.dtype)
        if colors.dtype == np.uint16:
            return Image.fromarray(colors.mean(axis=-1, dtype=np.float32))
        image = Image.fromarray(colors if colors.shape[-1] == 3 else colors[..., 0])
    return image.convert("L")


def perceptual_hash(gray: bytes) -> bytes:
    """Returns the 32 bytes of the hash of gray pixels. Many calls in a row are faster than one after each image."""
    image = Image.frombytes("L", (_PIXELS, _PIXELS), gray)
    bits = imagehash.phash(image, hash_size=_SIDE, highfreq_factor=_PIXELS // _SIDE).hash
    return np.packbits(bits).tobytes()


def near_duplicates(hashes: bytes, splits: Sequence[int]) -> list[list[int]]:
    """Returns groups of images that look the same and are in several splits, as their positions.

    Args:
        hashes: The perceptual hash of each image.
        splits: The number of each image's split.
    """
    table = np.frombuffer(hashes, np.uint8).reshape(-1, HASH_BYTES)
    split_of = np.asarray(splits, dtype=np.int64)
    found: set[tuple[int, int]] = set()
    for band in range(table.view(_BAND_BITS).shape[1]):
        found.update(_pairs(table, split_of, band))
    return _groups(sorted(found))


def _pairs(table: np.ndarray, split_of: np.ndarray, band: int) -> Iterator[tuple[int, int]]:
    """Yields similar images in different splits that have the same bits in the band."""
    values = table.view(_BAND_BITS)[:, band]
    # Within the band, the images are sorted by their other bits, so that similar ones are neighbors.
    following = np.roll(table.view(">u8"), -(band // 4) - 1, axis=1)
    order = np.lexsort((following[:, 0], values))
    for step in range(1, min(_NEIGHBORS, len(order) - 1) + 1):
        one, other = order[:-step], order[step:]
        candidates = (values[one] == values[other]) & (split_of[one] != split_of[other])
        one, other = one[candidates], other[candidates]
        near = _ONES[table[one] ^ table[other]].sum(axis=1) <= _MOST_BITS
        for pair in zip(one[near].tolist(), other[near].tolist(), strict=True):
            yield min(pair), max(pair)


def _groups(pairs: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Returns the images that pairs connect, in groups."""
    neighbors: dict[int, set[int]] = defaultdict(set)
    for one, other in pairs:
        neighbors[one].add(other)
        neighbors[other].add(one)
    groups, seen = [], set()
    for start in neighbors:
        group, waiting = set(), [start]
        while waiting:
            image = waiting.pop()
            if image not in seen:
                seen.add(image)
                group.add(image)
                waiting.extend(neighbors[image])
        if group:
            groups.append(sorted(group))
    return groups
