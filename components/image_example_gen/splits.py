"""assign_splits: gives every image a split, by the hash of its name, stratified by label.

The images of a label are sorted by their hashes. The hashes divide them at fixed points, so an image keeps its split
when others are added. Only where this gives a label too few or too many images in a split, the ones that are closest to
the point change over.
"""

import math
import unicodedata
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import accumulate, pairwise

from efficientmixnet.components.image_example_gen.column_text import is_missing
from efficientmixnet.components.image_example_gen.entry import Entry
from efficientmixnet.components.image_example_gen.sources import name_hash
from efficientmixnet.components.image_example_gen.split_names import TRAIN
from efficientmixnet.modules.exceptions import BadInput

_TOLERANCE = Fraction(1, 10)  # of the exact number of a label's images in a split, or less than one image
_AT_LEAST_ONE = Fraction(2, 5)  # If the exact number is this or more, the label has an image in the split.

Shares = Sequence[tuple[str, Fraction]]


@dataclass(frozen=True)
class Splits:
    """How images are divided.

    Args:
        fractions: The fraction of images in each split. Only the source puts images into a split with 0.
        names: The splits that further names in the data mean.
        group: The column of a group. All images of a group are in one split.
    """

    fractions: Mapping[str, float]
    names: Mapping[str, str] = field(default_factory=dict)
    group: str | None = None

    @property
    def hashed(self) -> dict[str, float]:
        """The fractions of the splits that hashes put images into."""
        return {split: fraction for split, fraction in self.fractions.items() if fraction}


def assign_splits(
    entries: Sequence[Entry], splits: Splits, removed: Iterable[Entry] = ()
) -> tuple[tuple[Entry, ...], list[str]]:
    """Gives every image a split.

    A split that the source names stays. If it names the split of every image, but none for a split in `splits`, the
    latter takes a part of the training images. Corrections change no split: images are divided by their labels in the
    data, and removed images count.

    Args:
        entries: The images.
        splits: How they are divided.
        removed: The images that corrections leave out.

    Returns:
        The images in the same order, and notes on the splits that were taken from training images.

    Raises:
        BadInput: There is no such group, or the source divides one.
    """
    units = _units((*entries, *removed), splits.group)
    fractions, named = splits.hashed, {split for _, split in units.values()}
    notes = []
    if TRAIN in named and None not in named:
        fractions = {split: part for split, part in fractions.items() if split == TRAIN or split not in named}
        if len(fractions) > 1:
            units = {unit: (label, None if split == TRAIN else split) for unit, (label, split) in units.items()}
            notes = [f"{float(share):.0%} of {TRAIN} are {split}" for split, share in _shares(fractions)[1:]]
    by_unit = _divided(units, _shares(fractions))
    return tuple(replace(entry, split=by_unit[_unit(entry, splits.group)]) for entry in entries), notes


def _shares(fractions: Mapping[str, float]) -> Shares:
    """Returns the fractions with the sum 1, training first and the others by name, so that their order is fixed."""
    exact = {split: Fraction(str(fraction)) for split, fraction in fractions.items()}
    whole = sum(exact.values())
    return [(split, exact[split] / whole) for split in sorted(exact, key=lambda split: (split != TRAIN, split))]


def _unit(entry: Entry, group: str | None) -> str:
    """Returns the name of what stays together: the image's group, or the image itself."""
    value = dict(entry.columns).get(group, "") if group else ""
    return entry.name if is_missing(value) else f"{group}={unicodedata.normalize('NFC', value)}"


def _units(entries: Sequence[Entry], group: str | None) -> dict[str, tuple[str, str | None]]:
    """Returns the label of each unit, which is the most frequent one of its images, and its split if it has one."""
    if not group:
        return {entry.name: (_label(entry), entry.split) for entry in entries}
    members: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        members[_unit(entry, group)].append(entry)
    if all(len(one) == 1 and one[0].name == unit for unit, one in members.items()):
        columns = sorted({name for entry in entries for name, _ in entry.columns})
        there = f"the columns are {', '.join(columns)}" if columns else "the images have no columns"
        raise BadInput(f"data.group: no image has a value in the column {group!r}; {there}.")
    return {unit: (_most_frequent(one), _only_split(unit, one)) for unit, one in members.items()}


def _most_frequent(entries: Iterable[Entry]) -> str:
    counts = Counter(map(_label, entries))
    return min(counts, key=lambda label: (-counts[label], label))


def _label(entry: Entry) -> str:
    """Returns the label in the data."""
    return entry.label if entry.original is None else entry.original


def _only_split(unit: str, entries: Iterable[Entry]) -> str | None:
    named = sorted({entry.split for entry in entries if entry.split})
    if len(named) > 1:
        raise BadInput(
            f"data.group: the data puts the images of {unit} into the splits {' and '.join(named)}. Give them "
            "one split, or remove data.group."
        )
    return named[0] if named else None


def _divided(units: Mapping[str, tuple[str, str | None]], shares: Shares) -> dict[str, str]:
    """Returns the split of each unit."""
    by_label: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for unit, (label, split) in units.items():
        if not split:
            by_label[label].append((name_hash(unit), unit))
    bounds = {
        label: _bounds([place for place, _ in sorted(hashed)], shares) for label, hashed in sorted(by_label.items())
    }
    for number in range(1, len(shares)):
        _fill(number, bounds.values())
    found = {unit: split for unit, (_, split) in units.items() if split}
    for label, hashed in by_label.items():
        in_order = [unit for _, unit in sorted(hashed)]
        for (split, _), (start, end) in zip(shares, pairwise(bounds[label]), strict=True):
            found.update(dict.fromkeys(in_order[start:end], split))
    return found


def _bounds(places: Sequence[int], shares: Shares) -> list[int]:
    """Returns the number of units before each split, and the number of all units.

    From n to n + 1 units, each of these numbers grows by one or stays. So between two splits, at most one other unit
    changes over.
    """
    bounds = [0] * len(shares) + [len(places)]
    before = [Fraction(0), *accumulate(share for _, share in shares)]
    for number in range(len(shares) - 1, 0, -1):
        size = bounds[number + 1]
        exact = size * shares[number][1] / before[number + 1]
        least = max(min(math.floor(exact), math.ceil(exact * (1 - _TOLERANCE))), int(exact >= _AT_LEAST_ONE))
        most = max(math.ceil(exact), math.floor(exact * (1 + _TOLERANCE)))
        by_hash = bisect_left(places, before[number] * 2**64)
        bounds[number] = max(min(by_hash, size - least), size - most, min(1, size))
    return bounds


def _fill(number: int, bounds: Collection[list[int]]) -> None:
    """Gives a split without units one of the label with the most training units."""
    largest = max(bounds, key=lambda one: one[1], default=[0, 0])
    if largest[1] > 1 and all(one[number] == one[number + 1] for one in bounds):
        for earlier in range(1, number + 1):
            largest[earlier] -= 1
