"""full_page: finds the page of a TIFF file that is its image, and not a thumbnail or a mask of it."""

import struct
from collections.abc import Iterator

from efficientmixnet.modules.exceptions import BadImage

_NEW_SUBFILE_TYPE, _SUBFILE_TYPE, _SUB_DIRECTORIES, _DNG_VERSION = 254, 255, 330, 50706  # tags
_WANTED = frozenset({_NEW_SUBFILE_TYPE, _SUBFILE_TYPE, _SUB_DIRECTORIES, _DNG_VERSION})
_REDUCED_OR_MASK = 1 | 4  # bits of NewSubfileType
_REDUCED = 2  # a value of the older SubfileType
_SHORT = 3  # a type of values
_BIG = (b"II+\0", b"MM\0+")
_MOST_PAGES, _MOST_TAGS = 64, 2**16  # a damaged file can name any number


def full_page(file: bytes) -> int:
    """Returns the number of the first page that is neither reduced nor a mask, from 0.

    Cameras put a thumbnail first. If all pages are marked as reduced, the first one counts, since some programs mark
    the only image so.

    Args:
        file: A TIFF file. Readers find out whether it is damaged.

    Raises:
        BadImage: It has only thumbnails on its pages, as raw photographs do, whose images are elsewhere.
    """
    pages = list(_pages(file))
    full = next((number for number, tags in enumerate(pages) if not _is_reduced(tags)), None)
    if full is None and any({_DNG_VERSION, _SUB_DIRECTORIES} & set(tags) for tags in pages):
        raise BadImage("is a raw photograph with only thumbnails on its pages; convert it to a TIFF file in RGB")
    return full or 0


def _is_reduced(tags: dict[int, int]) -> bool:
    return bool(tags.get(_NEW_SUBFILE_TYPE, 0) & _REDUCED_OR_MASK) or tags.get(_SUBFILE_TYPE) == _REDUCED


def _pages(file: bytes) -> Iterator[dict[int, int]]:
    """Yields the first number of each wanted tag of a page, up to the first page that is damaged."""
    order = "<" if file.startswith(b"II") else ">"
    is_big = file.startswith(_BIG)
    count_as, entry_as, place_as = ("Q", "HHQ8s", "Q") if is_big else ("H", "HHI4s", "I")
    count_as, entry_as, place_as = order + count_as, order + entry_as, order + place_as
    seen: set[int] = set()
    try:
        (place,) = struct.unpack_from(place_as, file, 8 if is_big else 4)
        while place and place not in seen and len(seen) < _MOST_PAGES:
            seen.add(place)
            (count,) = struct.unpack_from(count_as, file, place)
            start = place + struct.calcsize(count_as)
            end = start + min(count, _MOST_TAGS) * struct.calcsize(entry_as)
            tags: dict[int, int] = {}
            for tag, kind, _, value in struct.iter_unpack(entry_as, file[start:end]):
                if tag in _WANTED:
                    (tags[tag],) = struct.unpack_from(order + ("H" if kind == _SHORT else "I"), value)
            yield tags
            (place,) = struct.unpack_from(place_as, file, end)
    except (struct.error, OverflowError):
        return
