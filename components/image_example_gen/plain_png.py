"""plain_png: removes what does not change the pixels of a PNG file, so that Pillow reads what browsers read.

Pillow refuses long texts and color profiles, and wrong checksums of chunks that decoders may skip. But it reads damaged
files that TensorFlow refuses, such as those that end after their pixels. They are refused here.
"""

import struct
import zlib
from collections.abc import Iterator

from efficientmixnet.modules.data.exif import PNG
from efficientmixnet.modules.exceptions import BadImage

_HEADER, _COLORS, _PIXELS, _END, _TRANSPARENCY = b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS"
_NEEDED = frozenset({_HEADER, _COLORS, _PIXELS, _END})  # the chunks that a decoder must read
_HEADER_BYTES, _COLOR_TYPE, _COMPRESSION = 13, 9, 10  # the size of the header, and places in it
_RGB, _PALETTE, _RGBA = 2, 3, 6  # color types
_TRANSPARENT_COLOR = {0: 2, _RGB: 6}  # bytes, by the color types of gray and RGB
_MOST_COLORS = 256
_ANCILLARY = 0x20  # the bit in the first letter of a chunk that a decoder may skip
_HEAD, _CHECKSUM = 8, 4  # bytes of a chunk before and after its content


def plain_png(file: bytes) -> bytes:
    """Returns the PNG file with the chunks that a decoder must read, and with valid transparency.

    Raises:
        BadImage: A chunk that a decoder must read is missing, damaged, unknown or out of place.
    """
    kept, header, is_after_pixels = [PNG], b"", False
    used: set[bytes] = set()
    for kind, chunk in _chunks(file):
        content = chunk[_HEAD:-_CHECKSUM]
        header = header or content
        if not _is_valid(kind, content, used, header):
            raise _damaged()
        is_after_pixels |= _PIXELS in used and kind != _PIXELS
        if kind == _PIXELS:
            is_used = not is_after_pixels  # Decoders ignore pixels after another chunk.
        elif kind == _TRANSPARENCY:
            is_used = not is_after_pixels and kind not in used and _is_intact(chunk) and _fits(content, header)
        else:
            is_used = kind in _NEEDED
        if is_used:
            kept.append(chunk)
            used.add(kind)
    return b"".join(kept)


def _chunks(file: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yields the kind of each chunk, and the chunk."""
    place, kind = len(PNG), b""
    while kind != _END:
        length, kind = struct.unpack(">I4s", file[place : place + _HEAD].ljust(_HEAD, b"\0"))
        chunk = file[place : place + _HEAD + length + _CHECKSUM]
        is_whole = len(chunk) == _HEAD + length + _CHECKSUM and kind.isalpha()
        if not is_whole or not (kind[0] & _ANCILLARY or (kind in _NEEDED and _is_intact(chunk))):
            raise _damaged()
        yield kind, chunk
        place += len(chunk)


def _is_valid(kind: bytes, content: bytes, used: set[bytes], header: bytes) -> bool:
    """Returns whether decoders read a file with this chunk after those that are used."""
    if kind == _HEADER or not used:
        is_first = kind == _HEADER and not used
        return is_first and len(content) == _HEADER_BYTES and content[_COMPRESSION] == 0
    color_type = header[_COLOR_TYPE]
    if kind == _COLORS and color_type == _PALETTE:
        is_in_place = used.isdisjoint({_COLORS, _PIXELS})
        return is_in_place and 0 < len(content) <= 3 * _MOST_COLORS and len(content) % 3 == 0
    if kind == _COLORS:
        return bool(content) or color_type not in (_RGB, _RGBA) or _PIXELS in used
    return kind != _PIXELS or color_type != _PALETTE or _COLORS in used


def _fits(content: bytes, header: bytes) -> bool:
    """Returns whether decoders use this transparency."""
    color_type, length = header[_COLOR_TYPE], len(content)
    return length == _TRANSPARENT_COLOR.get(color_type) or (color_type == _PALETTE and 0 < length <= _MOST_COLORS)


def _is_intact(chunk: bytes) -> bool:
    return zlib.crc32(chunk[4:-4]) == int.from_bytes(chunk[-4:], "big")


def _damaged() -> BadImage:
    return BadImage("is a truncated or corrupt PNG file")
