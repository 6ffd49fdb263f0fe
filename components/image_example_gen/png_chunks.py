"""png_chunks: the chunks of a PNG file."""

import struct
from collections.abc import Iterator

from efficientmixnet.modules.data.exif import PNG

HEADER, COLORS, PIXELS, END, TRANSPARENCY = b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS"
HEAD, CHECKSUM = 8, 4
"""The bytes of a chunk before and after its content."""


def png_chunks(file: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yields the kind of each chunk, and the chunk, until the end. A chunk that the file cuts is shorter than it says.

    Example:
        >>> [kind for kind, _ in png_chunks(png)]
        [b'IHDR', b'IDAT', b'IEND']
    """
    place, kind = len(PNG), b""
    while kind != END and place < len(file):
        length, kind = struct.unpack(">I4s", file[place : place + HEAD].ljust(HEAD, b"\0"))
        yield kind, file[place : place + HEAD + length + CHECKSUM]
        place += HEAD + length + CHECKSUM


def content(chunk: bytes) -> bytes:
    """Returns the content of a whole chunk."""
    return chunk[HEAD:-CHECKSUM]
