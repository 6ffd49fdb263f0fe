"""Files that hold many images: which there are, and how to get at one image's bytes."""

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby
from typing import IO, Any

from efficientmixnet.components.image_example_gen.entry import Entry, LeftOut
from efficientmixnet.components.image_example_gen.files import File, read_bytes
from efficientmixnet.components.image_example_gen.layout import LabelNames, Layout
from efficientmixnet.components.image_example_gen.readers.reader import Reader
from efficientmixnet.modules.exceptions import DamagedFile

_NAMES = {
    "tfrecord": re.compile(r"(\.tfrec(ord)?s?|-\d{5}-of-\d{5})(\.gz)?$"),
    "webdataset": re.compile(r"\.(tar|tar\.gz|tgz)$"),
    "parquet": re.compile(r"\.parquet$"),
}


def format_of(name: str) -> str | None:
    """The format that the file's name tells; None for any other file."""
    return next((kind for kind, pattern in _NAMES.items() if pattern.search(name)), None)


def entries_of(
    file: File, kind: str, layout: Layout, label_names: LabelNames, split: str | None
) -> Iterator[Entry | LeftOut]:
    """The file's images, in its order, of this split where they do not name another.

    Raises:
        BadInput: the file has no image or no label where the layout says.
    """
    row = -1
    try:
        for row, sample in enumerate(_reader(kind)(file.path, layout, with_images=False)):
            name = f"{file.name}/{sample.name}"
            label = label_names.or_else(sample.label_names).name(sample.label)
            if sample.fault:
                yield LeftOut(name, sample.fault)
            elif not label:
                known = f": {_text(sample.label)} has no name" if sample.label is not None else ""
                yield LeftOut(name, f"has no label{known}")
            else:
                columns = tuple((column, _text(value)) for column, value in sample.columns)
                alone = None if sample.offset is not None else row
                label, of_its_own = unicodedata.normalize("NFC", label), _text(sample.split)
                yield Entry(file.path, name, label, of_its_own or split, columns, sample.offset, sample.size, alone)
    except DamagedFile as damaged:
        yield LeftOut(file.name, f"{damaged} after {row + 1} records")


def images_of(entries: Iterable[Entry], kind: str, layout: Layout) -> Iterator[tuple[Entry, bytes]]:
    """Each entry with its encoded image, file by file; those that cannot be read are missing."""
    for path, group in groupby(sorted(entries, key=lambda entry: entry.path), key=lambda entry: entry.path):
        by_row: dict[int, Entry] = {}
        for entry in group:
            if entry.row is not None:
                by_row[entry.row] = entry
                continue
            try:
                encoded = read_bytes(entry)
            except OSError:
                continue
            yield entry, encoded
        if by_row:
            yield from _in_order(path, by_row, kind, layout)


def unpack(entries: Iterable[Entry], kind: str, layout: Layout, file: IO[bytes], path: str) -> Iterator[Entry]:
    """Copies images that can only be read in order into one plain file; the entries that point there.

    What could not be read is an empty image.
    """
    left = {entry.row: entry for entry in entries}
    offset = 0
    for entry, encoded in images_of(left.values(), kind, layout):
        file.write(encoded)
        del left[entry.row]
        yield replace(entry, path=path, offset=offset, size=len(encoded), row=None)
        offset += len(encoded)
    for entry in left.values():
        yield replace(entry, path=path, offset=0, size=0, row=None)


def _in_order(path: str, by_row: dict[int, Entry], kind: str, layout: Layout) -> Iterator[tuple[Entry, bytes]]:
    last = max(by_row)
    try:
        for row, sample in enumerate(_reader(kind)(path, layout, with_images=True)):
            if row in by_row and sample.image is not None:
                yield by_row[row], sample.image
            if row == last:
                return
    except DamagedFile:
        return


def _reader(kind: str) -> Reader:
    if kind == "tfrecord":
        from efficientmixnet.components.image_example_gen.readers.tfrecords import read_tfrecord

        return read_tfrecord
    if kind == "webdataset":
        from efficientmixnet.components.image_example_gen.readers.tar_shards import read_tar

        return read_tar
    from efficientmixnet.components.image_example_gen.readers.parquet import read_parquet

    return read_parquet


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        value = value.decode(errors="replace")
    return "" if value is None else value.strip() if isinstance(value, str) else json.dumps(value)
