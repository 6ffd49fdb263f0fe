"""has_all_rows: whether a PNG file has all pixels. Pillow makes missing ones black, and TensorFlow refuses the file."""

import struct
import zlib

from efficientmixnet.components.image_example_gen.png_chunks import HEADER, PIXELS, content, png_chunks

_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by color type
# Adam7's passes: the first column and row of each, and the steps to the next ones.
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_BEFORE, _AFTER = 2, 4  # bytes around the compressed pixels: a header, and a checksum that decoders do not check
_BLOCK = 2**16  # compressed bytes that are unpacked at once, to use little memory


def has_all_rows(png: bytes) -> bool:
    """Returns whether the pixels unpack to as many bytes as the header says, and the compressed data ends after them.

    Args:
        png: A PNG file as plain_png returns it, with a valid header.
    """
    chunks = [*png_chunks(png)]
    packed = b"".join(content(chunk) for kind, chunk in chunks if kind == PIXELS)
    expected, found = _size(next(content(chunk) for kind, chunk in chunks if kind == HEADER)), 0
    unpack = zlib.decompressobj(-zlib.MAX_WBITS)  # without header and checksum
    place = _BEFORE
    try:
        while place < len(packed) and not unpack.eof:
            found += len(unpack.decompress(packed[place : place + _BLOCK]))
            place += _BLOCK
    except zlib.error:
        return found >= expected
    after = len(unpack.unused_data) + max(0, len(packed) - place)
    return found >= expected and unpack.eof and after >= _AFTER


def most_packed_bytes(header: bytes) -> int:
    """Returns more than any encoder needs for the pixels. Decoders unpack all there is, which may take hours.

    Args:
        header: The content of the first chunk.
    """
    return 2**16 + 5 * _size(header) // 4  # Deflate's fixed codes need 9/8 of the bytes at most.


def _size(header: bytes) -> int:
    """Returns the bytes of all rows, each with a byte for its filter."""
    width, height, bits, color_type, _, _, is_interlaced = struct.unpack(">IIBBBBB", header)
    bits *= _CHANNELS.get(color_type, 1)  # Pillow refuses others.

    def size(columns: int, rows: int) -> int:
        return rows * (1 + -(-columns * bits // 8)) if columns > 0 else 0

    if not is_interlaced:
        return size(width, height)
    return sum(size(-(-(width - x) // dx), max(0, -(-(height - y) // dy))) for x, y, dx, dy in _PASSES)
