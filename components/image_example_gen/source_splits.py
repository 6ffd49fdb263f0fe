"""SourceSplits: the splits that the names of folders or files give, such as train/cat/1.jpg or test-00000.parquet."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import PurePosixPath

from efficientmixnet.components.image_example_gen.entry import SUFFIXES
from efficientmixnet.components.image_example_gen.files import File
from efficientmixnet.components.image_example_gen.split_names import TRAIN, SplitNames, is_unlabeled
from efficientmixnet.modules.exceptions import BadInput

_WRAPPERS = frozenset({"images", "image", "imgs", "img", "data"})  # folders between a split and its classes
_CURE = "Give its split in data.split_names or data.layout.split_files, or rename or remove it."

Path = tuple[str, ...]  # the parts of a file's name


@dataclass(frozen=True)
class SourceSplits:
    """The splits that names give.

    Args:
        splits: The split of each folder, or of each file with many images.
        depths: The number of folders between the data folder and the class folders, by top folder; 0 if missing.
        unlabeled: The top folders, or files, without labels.
    """

    splits: Mapping[str, str] = field(default_factory=dict)
    depths: Mapping[str, int] = field(default_factory=dict)
    unlabeled: Collection[str] = ()

    def of(self, name: str) -> tuple[str, int] | None:
        """Returns the split of a file, and the number of folders above its class folder."""
        key = self.key(name)
        return (self.splits[key], self.depths.get(key, 0)) if key in self.splits else None

    def has_no_label(self, name: str) -> bool:
        """Returns whether the images of a file have no labels."""
        return self.key(name) in self.unlabeled

    def key(self, name: str) -> str:
        """Returns the top folder, or the file with many images, that a file or image is in."""
        prefixes = accumulate(name.split("/"), "{}/{}".format)
        return next((prefix for prefix in prefixes if prefix in self.splits or prefix in self.unlabeled), "")

    def notes(self, left_out: Iterable[str]) -> list[str]:
        """Returns the splits in words.

        Args:
            left_out: The names of folders or files that are not used.
        """
        by_split: dict[str, list[str]] = defaultdict(list)
        for name in self.splits.keys() - set(left_out):
            by_split[self.splits[name]].append(name)
        in_order = sorted(by_split.items(), key=lambda item: (item[0] != TRAIN, item[0]))
        notes = [f"{_shown(sorted(names))} {'is' if len(names) == 1 else 'are'} {split}" for split, names in in_order]
        return [*notes[:-1], f"{notes[-1]} (data.layout.split_files changes this)"] if notes else []


def of_folders(data: str, files: Iterable[File], names: SplitNames) -> SourceSplits:
    """Recognizes folders of splits, which hold class folders of the same names as the one of training.

    Without one of training, all folders must be named after splits, as in held-out data.

    Args:
        data: The data folder, for messages.
        files: All files.
        names: The names of splits.

    Raises:
        BadInput: Another folder does not belong to any split.
    """
    below: dict[str, list[Path]] = defaultdict(list)
    for file in files:
        top, *rest = file.name.split("/")
        if rest and PurePosixPath(file.name).suffix.lower() in SUFFIXES:
            below[top].append(tuple(rest))
    splits = {top: split for top in below if (split := names.of_name(top))}
    depths = {top: _depth(top, below[top], names) for top in below}
    classes = {top: {path[depths[top] - 1] for path in below[top] if len(path) > depths[top]} for top in below}
    training = set().union(*(classes[top] for top, split in splits.items() if split == TRAIN))
    if not training and splits.keys() == below.keys():
        training = set().union(*classes.values())
    alike = [top for top in below if classes[top] & training]
    used = {top: split for top, split in splits.items() if top in alike}
    if not used or (len(used) == 1 and len(training) < 2):
        return _inside_classes(below, names)
    for top in below:
        if top not in splits and (top in alike or not is_unlabeled(top)):
            if len(splits) < 2 and top not in alike:
                return SourceSplits()  # Class folders, such as train, bus and tram.
            raise BadInput(f"data.images: {data}: {top} is in no split, unlike {_shown(list(used))}. {_CURE}")
        if top not in used and len(classes[top]) > 1:
            raise BadInput(f"data.images: {data}: {top} has other class folders than {_shown(list(used))}. {_CURE}")
    return SourceSplits(used, {top: depths[top] for top in used}, below.keys() - used.keys())


def _inside_classes(below: Mapping[str, Sequence[Path]], names: SplitNames) -> SourceSplits:
    """Recognizes folders of splits in every class folder, such as cat/train/1.jpg."""
    inner = {(top, path[0] if len(path) > 1 else "") for top, paths in below.items() for path in paths}
    splits = {f"{top}/{name}": names.of_name(name) for top, name in inner}
    with_training = {top for top, name in inner if names.of_name(name) == TRAIN}
    if not below or with_training != below.keys() or None in splits.values():
        return SourceSplits()
    return SourceSplits({name: splits[name] for name in sorted(splits)})  # type: ignore[misc]


def of_files(data: str, files: Sequence[File], names: SplitNames) -> SourceSplits:
    """Recognizes files with many images that are named after splits, or whose folders are.

    Args:
        data: The data folder, for messages.
        files: The files with images.
        names: The names of splits.

    Raises:
        BadInput: Another file does not belong to any split.
    """
    found = {file.name: names.of_path(file.name) for file in files}
    splits = {name: split for name, split in found.items() if split}
    if TRAIN not in splits.values() and len(set(splits.values())) < 2:
        return SourceSplits()
    aside = {name for name in found if name not in splits and is_unlabeled(name)}
    lost = [name for name in found if name not in splits and name not in aside]
    if lost and len(set(splits.values())) < 2:
        return SourceSplits()
    if lost:
        raise BadInput(f"data.images: {data}: {lost[0]} is in no split, unlike {_shown(list(splits))}. {_CURE}")
    return SourceSplits(splits, {}, aside)


def _depth(top: str, paths: Sequence[Path], names: SplitNames) -> int:
    """Returns the number of folders above the class folders: 1, or more for such as train/images/cat/1.jpg."""
    depth, split = 1, names.of_name(top)
    while True:
        inner = {path[depth - 1] for path in paths}
        name = next(iter(inner))
        is_wrapper = name.casefold() in _WRAPPERS or (split is not None and names.of_name(name) == split)
        if len(inner) > 1 or not is_wrapper or any(len(path) <= depth for path in paths):
            return depth
        depth += 1


def _shown(names: Sequence[str]) -> str:
    printable = [name if name.isprintable() else repr(name) for name in names]
    *others, last = printable if len(names) <= 3 else [*printable[:2], f"{len(names) - 2:,} more"]
    return f"{', '.join(others)} and {last}" if others else last
