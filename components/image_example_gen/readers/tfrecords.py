"""TFRecords of tf.Examples with an encoded image each."""

import gzip
import struct
import zlib
from collections.abc import Iterator
from typing import IO, Any

import google_crc32c

from efficientmixnet.components.image_example_gen.entry import too_large
from efficientmixnet.components.image_example_gen.files import open_file
from efficientmixnet.components.image_example_gen.layout import Layout
from efficientmixnet.components.image_example_gen.readers.reader import Sample
from efficientmixnet.modules import features
from efficientmixnet.modules.exceptions import BadInput, DamagedFile, NoLabels

_GZIP = b"\x1f\x8b"
_BLOCK = 2**20  # bytes


def read_tfrecord(path: str, layout: Layout, with_images: bool, max_bytes: int) -> Iterator[Sample]:
    """Yields every record; see Reader."""
    import tensorflow as tf
    from google.protobuf.message import DecodeError

    image, label = layout.image or features.ENCODED, layout.label
    seen: set[str] = set()
    for row, (offset, record) in enumerate(_records(path, max_bytes)):
        if isinstance(record, int):
            yield Sample(str(row), fault=too_large(record, max_bytes))
            continue
        if record is None:
            yield Sample(str(row), fault="is damaged: its checksum is wrong")
            continue
        try:
            found = tf.train.Example.FromString(record).features.feature
        except DecodeError:
            yield Sample(str(row), fault="is not a tf.Example")
            continue
        seen.update(found)
        # One for the whole file: a class must not have its name in one record and its number in another.
        label = label or next((one for one in (features.LABEL, features.LABEL_ID) if one in found), None)
        encoded = _value(found[image], all_of_them=True) if image in found else None
        if isinstance(encoded, list):
            yield Sample(str(row), fault=f"has {len(encoded)} images in {image!r}", images=len(encoded))
            continue
        if not isinstance(encoded, bytes):
            yield Sample(str(row), fault=f"has no {'bytes in' if image in found else 'feature'} {image!r}")
            continue
        split = layout.split_among(found)
        yield Sample(
            name=str(row),
            label=_value(found[label], all_of_them=True) if label else None,
            split=_value(found[split]) if split else None,
            columns=tuple((name, _value(found[name])) for name in layout.features or ()),
            # The image's bytes are contiguous in the record.
            offset=None if offset is None else offset + record.index(encoded),
            size=len(encoded),
            image=encoded,
        )
    missing = [f"feature {one!r}" for one in (image, label or features.LABEL_ID) if one not in seen]
    if seen and missing:
        kind = NoLabels if image in seen else BadInput
        raise kind(
            f"data.images: {path} has no {' and no '.join(missing)}; it has {', '.join(sorted(seen))}. "
            "Name the features of image and label in data.layout.image and data.layout.label."
        )


def _value(feature: Any, all_of_them: bool = False) -> Any:
    kind = feature.WhichOneof("kind")
    values = list(getattr(feature, kind).value) if kind else []
    if len(values) > 1 and all_of_them:
        return values
    return values[0] if values else None


def _records(path: str, max_bytes: int) -> Iterator[tuple[int | None, bytes | int | None]]:
    """Yields the position of each record, None in a compressed file, and its bytes.

    Instead of the bytes it yields None if the checksum is wrong, and the size if the record is too large.
    """
    with open_file(path) as raw:
        compressed = raw.read(2) == _GZIP
        raw.seek(0)
        stream: IO[bytes] = gzip.GzipFile(fileobj=raw) if compressed else raw  # type: ignore[assignment]
        offset = 0
        try:
            while head := stream.read(12):
                if len(head) < 12:
                    raise DamagedFile("is truncated")
                length, checksum = struct.unpack("<QI", head)
                if _masked(head[:8]) != checksum:
                    raise DamagedFile("is not a TFRecord file, or is damaged,")
                is_read = length <= max_bytes
                record = stream.read(length) if is_read else b""
                if not is_read:
                    _skip(stream, length)
                tail = stream.read(4)
                if len(tail) < 4:
                    raise DamagedFile("is truncated")
                if not is_read:
                    yield None, length
                else:
                    intact = _masked(record) == int.from_bytes(tail, "little")
                    yield None if compressed else offset + 12, record if intact else None
                offset += 16 + length
        except (EOFError, gzip.BadGzipFile, zlib.error, OSError) as error:
            raise DamagedFile(f"cannot be read further ({error})") from None
    if not offset:
        raise OSError("has zero bytes")


def _skip(stream: IO[bytes], size: int) -> None:
    while size > 0 and (read := len(stream.read(min(size, _BLOCK)))):
        size -= read


def _masked(data: bytes) -> int:
    """Returns TFRecord's checksum of the data."""
    checksum = google_crc32c.value(data)
    return ((checksum >> 15 | checksum << 17) + 0xA282EAD8) & 0xFFFFFFFF
