"""Files that hold many images: the format of each, its entries, and the bytes of its images."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import groupby
from typing import IO

from efficientmixnet.components.image_example_gen.column_text import column_text
from efficientmixnet.components.image_example_gen.entry import MAX_IMAGE_BYTES, Entry, LeftOut
from efficientmixnet.components.image_example_gen.files import CHANGED, File, has_changed, read_bytes
from efficientmixnet.components.image_example_gen.label_names import LabelNames
from efficientmixnet.components.image_example_gen.layout import Layout
from efficientmixnet.components.image_example_gen.readers.reader import Reader, Sample
from efficientmixnet.components.image_example_gen.split_names import TEST, SplitNames
from efficientmixnet.modules.exceptions import BadInput, BadLabel, DamagedFile

LOST = "cannot be read: its file is damaged"
NO_LABEL = "has no label"
_TESTS = SplitNames({TEST})

_NAMES = {
    "tfrecord": re.compile(r"(\.tfrec(ord)?s?|-\d{5}-of-\d{5})(\.gz)?$"),
    "webdataset": re.compile(r"\.(tar|tar\.gz|tgz)$"),
    "parquet": re.compile(r"\.parquet$"),
}


def format_of(name: str) -> str | None:
    """Returns the format by the file's name; None for a file of another format."""
    return next((kind for kind, pattern in _NAMES.items() if pattern.search(name)), None)


def entries_of(
    file: File,
    kind: str,
    layout: Layout,
    label_names: LabelNames,
    split: str | None,
    max_bytes: int = MAX_IMAGE_BYTES,
) -> Iterator[Entry | LeftOut]:
    """Yields the file's images in their order.

    Args:
        file: The file.
        kind: The file's format.
        layout: Where the file holds image and label.
        label_names: The names of labels that are numbers.
        split: The split of images that do not name one.
        max_bytes: The largest size of an encoded image.

    Raises:
        BadInput: The format is unknown, or the file has no image where the layout says, or does not fit its names of
            labels.
        NoLabels: The file has no label there.
    """
    row, names = -1, label_names
    try:
        for row, sample in enumerate(_reader(kind)(file.path, layout, False, max_bytes)):
            name = f"{file.name}/{sample.name}"
            names = names.or_else(sample.label_names, file.path)
            label = "" if sample.fault else _label(name, sample, names)
            own_split = column_text(sample.split)
            if sample.fault:
                yield LeftOut(name, sample.fault, images=sample.images, split=own_split or None)
            elif not label:
                reason = f"{NO_LABEL}{_unnamed(column_text(sample.label))}"
                counts = _TESTS.of_value(own_split) != TEST
                yield LeftOut(name, reason, counts, split=own_split or None)
            else:
                columns = tuple((column, column_text(value)) for column, value in sample.columns)
                in_order = None if sample.offset is not None else row
                label = unicodedata.normalize("NFC", label)
                yield Entry(file.path, name, label, own_split or split, columns, sample.offset, sample.size, in_order)
        if names is not label_names:
            names.check()
    except DamagedFile as damaged:
        yield LeftOut(file.name, f"{damaged} after {row + 1} records", images=0)
    except OSError as error:
        yield LeftOut(file.name, f"cannot be read: {error.strerror or error}", images=0)


def _unnamed(label: str) -> str:
    """Returns what a label that names no class is, as the end of a reason."""
    return f": {label} has no name" if label.isdecimal() else f" ({label})" if label else ""


def _label(name: str, sample: Sample, label_names: LabelNames) -> str:
    try:
        return label_names.name(sample.label)
    except BadLabel as error:
        raise BadInput(f"data.images: {name} {error}") from None


def images_of(
    entries: Iterable[Entry], kind: str, layout: Layout, max_bytes: int = MAX_IMAGE_BYTES
) -> Iterator[tuple[Entry, bytes | LeftOut]]:
    """Yields each entry with its encoded image, or with the reason why it cannot be read.

    Args:
        entries: The entries, in any order. They are yielded file by file.
        kind: The format of their files.
        layout: Where the files hold image and label.
        max_bytes: The largest size of an encoded image.
    """
    for path, group in groupby(sorted(entries, key=lambda entry: entry.path), key=lambda entry: entry.path):
        by_row: dict[int, Entry] = {}
        for entry in group:
            if entry.row is not None:
                by_row[entry.row] = entry
                continue
            try:
                yield entry, read_bytes(entry)
            except OSError as error:
                yield entry, LeftOut.because(entry.name, error)
        if by_row:
            yield from _in_order(path, by_row, kind, layout, max_bytes)


def unpack(
    entries: Iterable[Entry],
    kind: str,
    layout: Layout,
    file: IO[bytes],
    path: str,
    max_bytes: int = MAX_IMAGE_BYTES,
) -> Iterator[Entry]:
    """Copies images that can only be read in order into one plain file.

    Args:
        entries: The images.
        kind: The format of their files.
        layout: Where the files hold image and label.
        file: The file to write.
        path: The path of that file.
        max_bytes: The largest size of an encoded image.

    Yields:
        Each entry with its place in the new file. An entry that cannot be read keeps its row, and gets the reason.
    """
    offset = 0
    for entry, encoded in images_of(entries, kind, layout, max_bytes):
        if isinstance(encoded, LeftOut):
            yield replace(entry, unreadable=encoded.reason)
            continue
        file.write(encoded)
        yield replace(entry, path=path, offset=offset, size=len(encoded), row=None, listed=None)
        offset += len(encoded)


def _in_order(
    path: str, by_row: dict[int, Entry], kind: str, layout: Layout, max_bytes: int
) -> Iterator[tuple[Entry, bytes | LeftOut]]:
    left = dict(by_row)
    last = max(by_row)
    reason = LOST
    try:
        if has_changed(by_row[last]):
            raise OSError(CHANGED)
        for row, sample in enumerate(_reader(kind)(path, layout, True, max_bytes)):
            if row in left and sample.fault:
                yield (entry := left.pop(row)), LeftOut(entry.name, sample.fault)
            elif row in left and sample.image is not None:
                yield left.pop(row), sample.image
            if row == last:
                break
    except DamagedFile:
        pass  # the rest of its entries are lost
    except OSError as error:
        reason = f"cannot be read: {error.strerror or error}"
    for entry in left.values():
        yield entry, LeftOut(entry.name, reason)


def _tfrecord() -> Reader:
    from efficientmixnet.components.image_example_gen.readers.tfrecords import read_tfrecord

    return read_tfrecord


def _webdataset() -> Reader:
    from efficientmixnet.components.image_example_gen.readers.tar_shards import read_tar

    return read_tar


def _parquet() -> Reader:
    from efficientmixnet.components.image_example_gen.readers.parquet import read_parquet

    return read_parquet


_READERS: Mapping[str, Callable[[], Reader]] = {"tfrecord": _tfrecord, "webdataset": _webdataset, "parquet": _parquet}
"""By format, a function that imports its reader."""


def _reader(kind: str) -> Reader:
    if kind not in _READERS:
        raise BadInput(f"data.layout.format: {kind!r} is not a format of files with many images. Use {_or(_READERS)}.")
    return _READERS[kind]()


def _or(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} or {last}"
