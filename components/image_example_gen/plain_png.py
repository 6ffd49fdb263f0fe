"""plain_png: removes what does not change the pixels of a PNG file, so that Pillow reads what browsers read.

Pillow refuses long texts and color profiles, and wrong checksums of chunks that decoders may skip. But it reads damaged
files that TensorFlow refuses, such as those that end after their pixels. They are refused here.
"""

import zlib

from efficientmixnet.components.image_example_gen.damaged import damaged
from efficientmixnet.components.image_example_gen.png_chunks import (
    CHECKSUM,
    COLORS,
    END,
    HEAD,
    HEADER,
    PIXELS,
    TRANSPARENCY,
    content,
    png_chunks,
)
from efficientmixnet.components.image_example_gen.png_rows import most_packed_bytes
from efficientmixnet.modules.data.exif import PNG

_NEEDED = frozenset({HEADER, COLORS, PIXELS, END})  # the chunks that a decoder must read
_HEADER_BYTES, _COLOR_TYPE, _COMPRESSION = 13, 9, 10  # the size of the header, and places in it
_RGB, _PALETTE, _RGBA = 2, 3, 6  # color types
_TRANSPARENT_COLOR = {0: 2, _RGB: 6}  # bytes, by the color types of gray and RGB
_MOST_COLORS = 256
_ANCILLARY = 0x20  # the bit in the first letter of a chunk that a decoder may skip


def plain_png(file: bytes) -> bytes:
    """Returns the PNG file with the chunks that a decoder must read, and with valid transparency.

    Raises:
        BadImage: A chunk that a decoder must read is missing, damaged, unknown or out of place, or there are far too
            many pixels.
    """
    kept, header, packed, is_after_pixels = [PNG], b"", 0, False
    used: set[bytes] = set()
    for kind, chunk in png_chunks(file):
        header = header or content(chunk)
        if not (_is_readable(kind, chunk) and _is_valid(kind, content(chunk), used, header)):
            raise damaged("PNG")
        is_after_pixels |= PIXELS in used and kind != PIXELS
        if kind == PIXELS:
            is_used = not is_after_pixels  # Decoders ignore pixels after another chunk.
            packed += len(content(chunk))
        elif kind == TRANSPARENCY:
            is_used = not is_after_pixels and kind not in used and _is_intact(chunk) and _fits(content(chunk), header)
        else:
            is_used = kind in _NEEDED
        if is_used:
            kept.append(chunk)
            used.add(kind)
    if END not in used or packed > most_packed_bytes(header):
        raise damaged("PNG")
    return b"".join(kept)


def _is_readable(kind: bytes, chunk: bytes) -> bool:
    """Returns whether the chunk is whole, and, unless decoders may skip it, known and intact."""
    is_whole = len(chunk) == HEAD + int.from_bytes(chunk[:4], "big") + CHECKSUM and kind.isalpha()
    return is_whole and bool(kind[0] & _ANCILLARY or (kind in _NEEDED and _is_intact(chunk)))


def _is_valid(kind: bytes, found: bytes, used: set[bytes], header: bytes) -> bool:
    """Returns whether decoders read a file with a chunk of this content after those that are used."""
    if kind == HEADER or not used:
        is_first = kind == HEADER and not used
        return is_first and len(found) == _HEADER_BYTES and found[_COMPRESSION] == 0
    color_type = header[_COLOR_TYPE]
    if kind == COLORS and color_type == _PALETTE:
        is_in_place = used.isdisjoint({COLORS, PIXELS})
        return is_in_place and 0 < len(found) <= 3 * _MOST_COLORS and len(found) % 3 == 0
    if kind == COLORS:
        return bool(found) or color_type not in (_RGB, _RGBA) or PIXELS in used
    return kind != PIXELS or color_type != _PALETTE or COLORS in used


def _fits(transparency: bytes, header: bytes) -> bool:
    """Returns whether decoders use this transparency."""
    color_type, length = header[_COLOR_TYPE], len(transparency)
    return length == _TRANSPARENT_COLOR.get(color_type) or (color_type == _PALETTE and 0 < length <= _MOST_COLORS)


def _is_intact(chunk: bytes) -> bool:
    return zlib.crc32(chunk[4:-4]) == int.from_bytes(chunk[-4:], "big")
