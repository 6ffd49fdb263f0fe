"""examine: decides which of the listed images are used, and computes their fingerprint."""

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

from efficientmixnet.components.image_example_gen.entry import Entry, LeftOut, too_large
from efficientmixnet.components.image_example_gen.files import File
from efficientmixnet.components.image_example_gen.skipped import Skipped
from efficientmixnet.components.image_example_gen.split_names import SplitNames
from efficientmixnet.modules.exceptions import BadInput

Found = tuple[Entry, File] | LeftOut | Skipped
"""What a data folder or a manifest lists: an image with its file, a file that is left out, or one that is skipped."""


def examine(
    found: Iterable[Found], names: SplitNames, max_bytes: int
) -> tuple[tuple[Entry, ...], tuple[LeftOut, ...], str, int, Counter[str]]:
    """Returns the entries sorted by name, the files left out, the fingerprint, the size, and what is skipped.

    Args:
        found: All that is listed.
        names: The names of splits.
        max_bytes: Larger images are left out.

    Raises:
        BadInput: Two images of the same name are in different splits.
    """
    skipped: Counter[str] = Counter()
    entries: list[Entry] = []
    left_out: list[LeftOut] = []
    files: dict[str, File] = {}  # by path
    for item in found:
        if isinstance(item, LeftOut):
            left_out.append(item)
            continue
        if isinstance(item, Skipped):
            skipped[item.kind] += 1
            continue
        entry, file = item
        split = entry.split and names.of_value(entry.split)
        if fault := entry.fault:
            left_out.append(LeftOut(entry.name, fault, split=entry.split))
        elif (size := _size(entry, file)) < 0:
            left_out.append(LeftOut(entry.name, "has a negative size", split=entry.split))
        elif size > max_bytes:
            left_out.append(LeftOut(entry.name, too_large(size, max_bytes), split=entry.split))
        elif entry.split and not split:
            left_out.append(LeftOut(entry.name, names.unknown(entry.split), split=entry.split))
        else:
            entries.append(replace(entry, split=split, listed=(file.size, file.changed)))
            files[file.path] = file
    entries.sort(key=lambda entry: entry.name)
    for before, entry in pairwise(entries):
        if before.name == entry.name and before.split != entry.split:
            both = " and in ".join(one.split or "no split" for one in (before, entry))
            raise BadInput(f"data.images: {entry.name} is in {both}. Remove one of the two images.")
    once = [entry for i, entry in enumerate(entries) if i == 0 or entry.name != entries[i - 1].name]
    if len(once) < len(entries):
        left_out += [
            LeftOut(entry.name, "has the same name as another image")
            for i, entry in enumerate(entries)
            if i and entry.name == entries[i - 1].name
        ]
    left_out = [replace(item, name=_encodable(item.name), reason=_encodable(item.reason)) for item in left_out]
    left_out = _with_estimates(left_out, Counter(files[entry.path].name for entry in once))
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(f"{files[path]}\n".encode())
    for entry in once:
        digest.update(f"{entry}\n".encode())
    # Otherwise the cache would hide that more images are left out. Reasons are not hashed, since some name the splits,
    # which a run adds to.
    for lost in sorted((item.name, item.images) for item in left_out if item.counts):
        digest.update(f"{lost}\n".encode())
    size = sum(file.size for file in files.values())
    return tuple(once), tuple(left_out), digest.hexdigest(), size, skipped


def _with_estimates(left_out: list[LeftOut], by_file: Counter[str]) -> list[LeftOut]:
    """Estimates how many images each damaged file has lost, by the mean number in the intact files."""
    damaged = {item.name for item in left_out if not item.images}
    if not damaged:
        return left_out
    intact = [count for name, count in by_file.items() if name not in damaged]
    mean = round(sum(intact) / len(intact)) if intact else 0
    return [item if item.images else replace(item, images=max(1, mean - by_file[item.name])) for item in left_out]


def _size(entry: Entry, file: File) -> int:
    """Returns the size of the encoded image, or 0 if it is not known yet."""
    if entry.size is not None:
        return entry.size
    return file.size if entry.row is None else 0


def _encodable(text: str) -> str:
    return text.encode(errors="backslashreplace").decode()
