"""orientation: reads the EXIF orientation of a file, a number from 1 (upright) to 8.

upright.py reads the same number in TensorFlow. Pillow's getexif also looks in XMP, which browsers do not.
"""

import re
import struct

JPEG, PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
EXIF = b"Exif\0\0"
"""The beginning of EXIF in a JPEG file."""
COMMENT = 0xFE
"""The marker of a comment in a JPEG file. Those of other metadata are 0xE0 to 0xEF."""
PNG_CHUNK = b"eXIf"
LITTLE, BIG = b"II*\0", b"MM\0*"
"""The beginning of EXIF's numbers, by byte order."""
TAG, SHORT, LONG = 0x112, 3, 4
ENTRY = 12
"""The bytes of a tag, its type, its count and its value."""
LONGEST = 2**16
"""The bytes of EXIF that are read. A segment of a JPEG file is not longer."""
MOST_SEGMENTS = 256
"""The segments of a JPEG file that are read, so that no file takes long."""

_IN_PNG = re.compile(PNG_CHUNK + b"(?=" + re.escape(LITTLE) + b"|" + re.escape(BIG) + b")")


def orientation(file: bytes, exif: bytes | None = None) -> int:
    """Returns the orientation; 1 without EXIF.

    Args:
        file: The encoded image.
        exif: EXIF as Pillow found it. It is used if the file is neither a JPEG nor a PNG.
    """
    if file.startswith(JPEG):
        exif = _exif_of_jpeg(file)
    elif file.startswith(PNG):
        found = _IN_PNG.search(file)
        exif = file[found.end() : found.end() + LONGEST] if found else None
    return _orientation_in((exif or b"").removeprefix(EXIF))


def _exif_of_jpeg(file: bytes) -> bytes | None:
    place = 2
    for _ in range(MOST_SEGMENTS):
        if place + 4 + len(EXIF) > len(file) or file[place] != 0xFF:
            return None
        marker, size = struct.unpack_from(">xBH", file, place)
        content = place + 4
        if marker == 0xE1 and file.startswith(EXIF, content):
            return file[content + len(EXIF) : content + size - 2]
        if marker == 0xFF:  # fills space
            place += 1
        elif marker // 16 == 0xE or marker == COMMENT:
            place = content + size - 2
        else:  # what describes the pixels begins
            return None
    return None


def _orientation_in(exif: bytes) -> int:
    """Returns the number that the first directory holds, or 1."""
    order = {LITTLE: "<", BIG: ">"}.get(exif[:4])
    if order is None or len(exif) < 8:
        return 1
    (start,) = struct.unpack_from(f"{order}I", exif, 4)
    entries = exif[start + 2 :]
    (count,) = struct.unpack(f"{order}H", exif[start : start + 2].ljust(2, b"\0"))
    for place in range(0, ENTRY * min(count, len(entries) // ENTRY), ENTRY):
        tag, kind = struct.unpack_from(f"{order}HH", entries, place)
        if tag == TAG:
            form = {SHORT: "H", LONG: "I"}.get(kind)
            found = struct.unpack_from(f"{order}{form}", entries, place + 8)[0] if form else 1
            return found if 1 <= found <= 8 else 1
    return 1
