"""Which pictures there are: class folders or a CSV manifest become a list of entries, without opening a picture."""

import csv
import hashlib
import os
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from efficientmixnet.modules.bad_input import BadInput

SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".bmp", ".webp", ".tif", ".tiff"})


@dataclass(frozen=True)
class Entry:
    """One file that may be a picture."""

    path: str  # of the file, as the reading process sees it
    name: str  # relative to the data folder, with forward slashes
    label: str
    split: str | None = None  # None: by the hash of its name


@dataclass(frozen=True)
class LeftOut:
    """One file that is not trained on, and why."""

    name: str
    reason: str
    counts: bool = True  # towards the share of bad pictures at which the run stops

    def row(self) -> tuple[str, str]:
        return self.name, self.reason


@dataclass(frozen=True)
class Sources:
    """All that the data folder or manifest names."""

    entries: tuple[Entry, ...]
    left_out: tuple[LeftOut, ...]
    fingerprint: str  # changes when a picture comes, goes or changes
    bytes: int  # of all files together

    @property
    def labels(self) -> Counter[str]:
        """Pictures by label."""
        return Counter(entry.label for entry in self.entries)


def find_pictures(data: str, manifest: str | None, split_names: frozenset[str]) -> Sources:
    """Lists the pictures below the folder `data`, or those that the CSV file `manifest` names relative to it.

    Raises:
        BadInput: there is nothing to train on.
    """
    if not Path(data).is_dir():
        what = "is a file, not a folder" if Path(data).exists() else "does not exist"
        raise BadInput(f"data.pictures: {data} {what}; name the folder that holds one folder of pictures per class")
    found = list(_in_manifest(Path(data), Path(manifest), split_names) if manifest else _in_folders(Path(data)))
    left_out = [item for item in found if isinstance(item, LeftOut)]
    entries, fingerprint, size = _examine((item for item in found if isinstance(item, Entry)), left_out)
    where = manifest or data
    if not entries:
        raise BadInput(_nothing_found(where, left_out, bool(manifest)))
    labels = sorted({entry.label for entry in entries})
    if len(labels) < 2:
        raise BadInput(
            f"{where}: only one class, {labels[0]!r}, has pictures; a classifier needs two or more"
            + ("" if manifest else ", each in a folder of its own")
        )
    return Sources(tuple(entries), tuple(left_out), fingerprint, size)


def split_of(entry: Entry, splits: Mapping[str, float]) -> str:
    """The entry's split: the manifest's, or by the hash of its name, so that it never changes as pictures are added."""
    if entry.split:
        return entry.split
    position = name_hash(entry.name) / 2**64 * sum(splits.values())
    for split, fraction in splits.items():
        position -= fraction
        if position < 0:
            return split
    return split


def name_hash(name: str) -> int:
    """64 evenly spread bits of the picture's name."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")


def _in_folders(data: Path) -> Iterator[Entry | LeftOut]:
    for child in sorted(data.iterdir()):
        if child.name.startswith("."):
            continue  # .DS_Store, .git and their like say nothing about pictures
        if not child.is_dir():
            yield LeftOut(child.name, "lies in no class folder", counts=child.suffix.lower() in SUFFIXES)
            continue
        label = unicodedata.normalize("NFC", child.name)
        for folder, subfolders, files in os.walk(child):
            subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
            for file in sorted(files):
                if not file.startswith("."):
                    path = Path(folder, file)
                    yield Entry(str(path), path.relative_to(data).as_posix(), label)


def _in_manifest(data: Path, manifest: Path, split_names: frozenset[str]) -> Iterator[Entry | LeftOut]:
    if not manifest.is_file():
        what = "is a folder" if manifest.is_dir() else "does not exist"
        raise BadInput(f"data.manifest: {manifest} {what}; name a CSV file with the columns path and label")
    first: dict[str, Entry] = {}  # by path
    try:
        with manifest.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file)
            missing = {"path", "label"} - set(rows.fieldnames or ())
            if missing:
                raise BadInput(
                    f"data.manifest: {manifest} has no column {' and no column '.join(sorted(missing))}; its first "
                    f"line reads {','.join(rows.fieldnames or ())!r}, and path,label or path,label,split is needed, "
                    "separated by commas"
                )
            for row in rows:
                where = f"{manifest.name}, line {rows.line_num}"
                item = _manifest_row(data, where, row, split_names)
                if isinstance(item, Entry) and item != first.setdefault(item.path, item):
                    before = first[item.path].label
                    item = LeftOut(item.name, f"has been named before, as {before!r} ({where})", before != item.label)
                elif isinstance(item, Entry) and item is not first[item.path]:
                    continue  # the very same row once more
                yield item
    except UnicodeDecodeError:
        raise BadInput(f"data.manifest: {manifest} is not UTF-8; save it as CSV in UTF-8") from None
    except csv.Error as error:
        raise BadInput(f"data.manifest: {manifest} is not CSV ({error})") from None


def _manifest_row(data: Path, where: str, row: dict[str, str], split_names: frozenset[str]) -> Entry | LeftOut:
    name, label, split = ((row.get(column) or "").strip() for column in ("path", "label", "split"))
    if not name:
        return LeftOut(where, "the row names no path")
    if not label:
        return LeftOut(name, f"has no label ({where})")
    if split and split not in split_names:
        return LeftOut(name, f"is of split {split!r}, which is none of {', '.join(sorted(split_names))} ({where})")
    path = data / name  # an absolute path stays as it is
    if not os.path.isfile(path):
        return LeftOut(name, f"does not exist ({where})")
    return Entry(str(path), Path(name).as_posix(), unicodedata.normalize("NFC", label), split or None)


def _nothing_found(where: str, left_out: list[LeftOut], is_manifest: bool) -> str:
    if is_manifest:
        if not left_out:
            return f"{where}: has no rows; give a row path,label for each picture"
        return f"{where}: names no picture that could be read; the first: {left_out[0].name} {left_out[0].reason}"
    if any(item.counts for item in left_out):
        return f"{where}: has pictures but no class folders; move the pictures of each class into a folder of its name"
    return f"{where}: holds no pictures; put those of each class into a folder of its own, named as the class"


def _examine(found: Iterable[Entry], left_out: list[LeftOut]) -> tuple[list[Entry], str, int]:
    """The files that are there, a fingerprint of them all, and their bytes; adds the others to `left_out`."""
    entries, digest, size = [], hashlib.sha256(), 0
    for entry in sorted(found, key=lambda entry: entry.name):
        try:
            entry.name.encode()
            status = os.stat(entry.path)
            digest.update(f"{entry}|{status.st_size}|{status.st_mtime_ns}\n".encode())
        except OSError as error:
            left_out.append(LeftOut(entry.name, f"cannot be read: {error.strerror}"))
        except UnicodeEncodeError:
            printable = entry.name.encode(errors="replace").decode()
            left_out.append(LeftOut(printable, "has a name that is not UTF-8"))
        else:
            entries.append(entry)
            size += status.st_size
    return entries, digest.hexdigest(), size
