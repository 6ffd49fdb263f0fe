"""Findings about the whole dataset: reasons for images left out, duplicates, and small or uneven classes."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from efficientmixnet.components.image_example_gen.entry import LeftOut

_TINY = 10  # training images
_UNEVEN = 10  # times the images of the smallest class
_SHOWN = 3  # examples in a warning
_POINT_ZERO = re.compile(r"(?<=\d)\.0+$")  # of whole numbers, as pandas writes them beside missing ones


@dataclass(frozen=True, slots=True)
class Copy:
    """One of several images with the same bytes."""

    name: str
    label: str
    split: str


@dataclass(frozen=True)
class Duplicates:
    """Images with the same bytes, or that look the same."""

    groups: tuple[tuple[Copy, ...], ...]

    @classmethod
    def of(cls, groups: Iterable[Iterable[Copy]]) -> "Duplicates":
        """Returns the groups, sorted by name."""
        in_order = (tuple(sorted(group, key=lambda copy: copy.name)) for group in groups)
        return cls(tuple(sorted(in_order, key=lambda group: group[0].name)))

    def without(self, others: "Duplicates") -> "Duplicates":
        """Returns the groups that are not a part of one of the other groups."""
        number_of = {copy: number for number, group in enumerate(others.groups) for copy in group}
        return Duplicates(
            tuple(group for group in self.groups if len({number_of.get(copy, copy) for copy in group}) > 1)
        )

    @property
    def of_two_labels(self) -> list[tuple[Copy, ...]]:
        """Groups with several labels. No network can predict all of their labels."""
        return [group for group in self.groups if len({copy.label for copy in group}) > 1]

    @property
    def in_two_splits(self) -> list[tuple[Copy, ...]]:
        """Groups in several splits. Evaluation measures images that training has seen."""
        return [group for group in self.groups if len({copy.split for copy in group}) > 1]

    def rows(self) -> Iterator[tuple[object, ...]]:
        """Yields the rows of duplicates.csv, with a header."""
        yield "group", "file", "label", "split"
        for number, group in enumerate(self.groups, 1):
            for copy in group:
                yield number, copy.name, copy.label, copy.split


def by_reason(left_out: Iterable[LeftOut]) -> dict[str, int]:
    """Returns the number of files left out for each reason, the most frequent first.

    Details of one file, such as its label, are part of a reason only if all files of the same kind share them.
    """
    kinds: dict[str, Counter[str]] = {}
    for item in left_out:
        reason = _without_place(item.reason)
        kinds.setdefault(re.sub(r"'[^']*'|\d[\d,]*", "…", reason), Counter())[reason] += 1
    counts = Counter({next(iter(one)) if len(one) == 1 else kind: one.total() for kind, one in kinds.items()})
    return dict(counts.most_common())


def warnings(
    counts: Mapping[str, Mapping[str, int]],
    duplicates: Duplicates,
    left_out: Iterable[LeftOut],
    near_duplicates: Duplicates = Duplicates(()),
    listed: Iterable[str] = (),
) -> list[str]:
    """Returns sentences about the data that the user should know.

    Args:
        counts: The number of images by split and label.
        duplicates: Images with the same bytes.
        left_out: Files that are not used.
        near_duplicates: Images that look the same.
        listed: The labels of all images, also of those that cannot be read.
    """
    labels = {label for of_split in counts.values() for label in of_split}
    return [
        *_on_files(left_out),
        *_on_duplicates(duplicates),
        *_on_near_duplicates(near_duplicates),
        *_on_labels(labels),
        *_on_lost_classes(sorted(set(listed) - labels)),
        *_on_classes(counts),
    ]


def _without_place(reason: str) -> str:
    """Returns the reason without the size of one file and its line in a list."""
    if limit := re.search(r"(pixels|bytes), over the limit \((.*)\)", reason):
        return f"has more {limit[1]} than {limit[2]}"  # the key and its value
    return re.sub(r"\s*\(.*\)|: \S+ has no name", "", reason)


def _on_files(left_out: Iterable[LeftOut]) -> Iterator[str]:
    for item in left_out:
        if re.search(r"after \d+ records$", item.reason):
            yield f"{item.name} {item.reason}. The rest of the file is not used."


def _on_duplicates(duplicates: Duplicates) -> Iterator[str]:
    if found := duplicates.of_two_labels:
        yield f"{_images(len(found))} the same bytes under two labels: {_shown(found, lambda copy: copy.label)}"
    if found := duplicates.in_two_splits:
        examples = _shown(found, lambda copy: copy.split)
        yield f"{_images(len(found))} copies in another split, so evaluation measures images of training: {examples}"


def _on_near_duplicates(duplicates: Duplicates) -> Iterator[str]:
    if found := duplicates.in_two_splits:
        examples = _shown(found, lambda copy: copy.split)
        yield (
            f"{_images(len(found))} near duplicates in another split, at another size or quality, so "
            f"evaluation measures images of training: {examples}"
        )


def _shown(groups: list[tuple[Copy, ...]], differs: Callable[[Copy], str]) -> str:
    """Returns a few groups as text, with one copy for each label or split."""
    first = [{differs(copy): copy for copy in reversed(group)} for group in groups[:_SHOWN]]
    named = [" and ".join(f"{copy.name} ({key})" for key, copy in sorted(one.items())) for one in first]
    return "; ".join(named) + ("; ..." if len(groups) > _SHOWN else "")


def _on_labels(labels: Iterable[str]) -> Iterator[str]:
    alike: dict[str, list[str]] = {}
    for label in sorted(labels):
        plain = " ".join(label.casefold().split())
        alike.setdefault(_POINT_ZERO.sub("", plain), []).append(label)
    if groups := [group for group in alike.values() if len(group) > 1]:
        named = "; ".join(" and ".join(map(repr, group)) for group in groups[:_SHOWN])
        yield (
            "some classes have names that differ only in case, spaces or .0; give them one name if they are the same "
            f"class: {named}{'; ...' if len(groups) > _SHOWN else ''}"
        )


def _on_lost_classes(lost: list[str]) -> Iterator[str]:
    if lost:
        yield f"{_classes(lost)} no image that can be read: {_some(lost)}"


def _on_classes(counts: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    train, evaluation = counts.get("train", {}), counts.get("eval", {})
    if not train:
        return
    untested = [label for label in train if not evaluation.get(label)]
    if untested:
        yield f"{_classes(untested)} no image in the evaluation split: {_some(untested)}"
    tiny = [label for label, count in train.items() if count < _TINY]
    if tiny:
        yield f"{_classes(tiny)} fewer than {_TINY} training images: {_some(tiny)}"
    most, least = max(train, key=lambda one: train[one]), min(train, key=lambda one: train[one])
    if train[most] > _UNEVEN * train[least]:
        yield (
            f"the classes are uneven, {train[most]:,} training images of {most} and {train[least]:,} of {least}: "
            "accuracy says little about the small classes"
        )


def _images(count: int) -> str:
    return "one image has" if count == 1 else f"{count:,} images have"


def _classes(labels: list[str]) -> str:
    return "one class has" if len(labels) == 1 else f"{len(labels):,} classes have"


def _some(names: list[str]) -> str:
    return ", ".join(sorted(names)[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
