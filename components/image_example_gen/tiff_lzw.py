"""without_lzw: a TIFF file with Deflate instead of LZW. Pillow's libtiff unpacks the data.

tifffile leaves LZW to imagecodecs, whose decoder ends the process with some damaged files (version 2025.3.30).
"""

import io
import math
import os
import struct
import zlib
from typing import Any

from PIL import Image

LZW = 5
"""The value of the tag Compression."""

_COMPRESSION, _FILL_ORDER = 259, 266  # tags
_STRIPS, _TILES = (273, 279), (324, 325)  # the tags of places and sizes
_DEFLATE, _FORWARD, _SEPARATE = 8, 1, 2  # values of Compression, FillOrder and PlanarConfiguration
_LONG = 4  # the type of a tag


def without_lzw(file: bytes, number: int) -> bytes:
    """Returns the file with the data of a page behind all others, as blocks of Deflate that are not compressed.

    Without any compression, tifffile would ignore a predictor.

    Args:
        file: A TIFF file.
        number: The number of the page, from 0.

    Raises:
        Exception: The data is damaged. The packages do not say what they raise.
    """
    import tifffile  # takes half a second

    stream = io.BytesIO(file)
    page: Any = tifffile.TiffFile(stream).pages[number]
    offsets, counts = [], []
    for index, (offset, count) in enumerate(zip(page.dataoffsets, page.databytecounts, strict=True)):
        packed = file[offset : offset + count]
        rows = zlib.compress(_unpacked(packed, *_size(page, index), int(page.fillorder)), 0) if packed else b""
        offsets.append(stream.seek(0, os.SEEK_END) if packed else 0)  # Pixels that a sparse file lacks are 0.
        counts.append(stream.write(rows))
    values = {_COMPRESSION: _DEFLATE, _FILL_ORDER: _FORWARD} | dict(
        zip(_TILES if page.is_tiled else _STRIPS, (offsets, counts), strict=True)
    )
    for tag, value in values.items():
        if tag in page.tags:
            page.tags[tag].overwrite(value)
    return stream.getvalue()


def _size(page: Any, index: int) -> tuple[int, int]:
    """Returns the bytes of a row, and the rows of a strip or tile."""
    samples = 1 if page.planarconfig == _SEPARATE else page.samplesperpixel
    width, rows = page.imagewidth, page.imagelength
    if page.is_tiled:
        width, rows = page.tilewidth, page.tilelength
    elif page.rowsperstrip < rows:
        above = index % math.ceil(rows / page.rowsperstrip) * page.rowsperstrip
        rows = min(page.rowsperstrip, rows - above)
    return math.ceil(width * samples * page.bitspersample / 8), int(rows)


def _unpacked(packed: bytes, width: int, rows: int, fill_order: int) -> bytes:
    """Unpacks a strip or tile as if it were a gray image, whose pixels are the bytes."""
    tags = {256: width, 257: rows, 258: 8, _COMPRESSION: LZW, 262: 1, _FILL_ORDER: fill_order}
    tags |= {_STRIPS[0]: 0, 277: 1, 278: rows, _STRIPS[1]: len(packed)}
    header = 8 + 2 + 12 * len(tags) + 4
    tags[_STRIPS[0]] = header
    entries = b"".join(struct.pack("<HHII", tag, _LONG, 1, value) for tag, value in sorted(tags.items()))
    gray = struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + entries + bytes(4) + packed
    with Image.open(io.BytesIO(gray), formats=("TIFF",)) as image:
        return image.tobytes()
