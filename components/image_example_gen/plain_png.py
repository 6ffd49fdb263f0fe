"""plain_png: removes what does not change the pixels of a PNG file, so that Pillow reads what browsers read.

Pillow refuses long texts and color profiles, and wrong checksums of chunks that decoders may skip.
"""

import struct
import zlib

from efficientmixnet.modules.data.exif import PNG

_PIXELS, _TRANSPARENCY = b"IDAT", b"tRNS"
_COLOR_TYPE = 25  # the place in the file
_TRANSPARENT_COLOR = {b"\0": 2, b"\2": 6}  # length, by the color types of gray and RGB
_PALETTE, _MOST_COLORS = b"\3", 256
_ANCILLARY = 0x20  # the bit in the first letter of a chunk that a decoder may skip
_AROUND = 12  # bytes of a chunk before and after its content


def plain_png(file: bytes) -> bytes:
    """Returns the PNG file with the chunks that a decoder must read, and with valid transparency."""
    kept, place = [PNG], len(PNG)
    while place + _AROUND <= len(file):
        length, kind = struct.unpack_from(">I4s", file, place)
        chunk = file[place : place + _AROUND + length]
        is_first = kind == _TRANSPARENCY and kept[-1][4:8] not in (_PIXELS, _TRANSPARENCY)  # Decoders ignore others.
        is_valid = is_first and _is_intact(chunk) and _fits(length, file[_COLOR_TYPE : _COLOR_TYPE + 1])
        if not kind[0] & _ANCILLARY or is_valid:
            kept.append(chunk)
        place += _AROUND + length
    return b"".join(kept) + file[place:]


def _fits(length: int, color_type: bytes) -> bool:
    """Returns whether decoders use a chunk of transparency of this length."""
    return length == _TRANSPARENT_COLOR.get(color_type) or (color_type == _PALETTE and 0 < length <= _MOST_COLORS)


def _is_intact(chunk: bytes) -> bool:
    return zlib.crc32(chunk[4:-4]) == int.from_bytes(chunk[-4:], "big")
