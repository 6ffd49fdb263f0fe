"""plain_png: removes what does not change the pixels of a PNG file, so that Pillow reads what browsers read.

Pillow refuses long texts and color profiles, and wrong checksums of chunks that decoders may skip.
"""

import struct
import zlib

from efficientmixnet.modules.data.exif import PNG

_TRANSPARENCY = b"tRNS"
_ANCILLARY = 0x20  # the bit in the first letter of a chunk that a decoder may skip
_AROUND = 12  # bytes of a chunk before and after its content


def plain_png(file: bytes) -> bytes:
    """Returns the PNG file with the chunks that a decoder must read, and with valid transparency."""
    kept, place = [PNG], len(PNG)
    while place + _AROUND <= len(file):
        length, kind = struct.unpack_from(">I4s", file, place)
        chunk = file[place : place + _AROUND + length]
        if not kind[0] & _ANCILLARY or (kind == _TRANSPARENCY and _is_intact(chunk)):
            kept.append(chunk)
        place += _AROUND + length
    return b"".join(kept) + file[place:]


def _is_intact(chunk: bytes) -> bool:
    return zlib.crc32(chunk[4:-4]) == int.from_bytes(chunk[-4:], "big")
