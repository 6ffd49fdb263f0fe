"""of_folders: recognizes folders of splits, such as train/cat/1.jpg, data/train/cat/1.jpg or cat/train/1.jpg."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from efficientmixnet.components.image_example_gen.files import File, file_may_be_image
from efficientmixnet.components.image_example_gen.folders_in_classes import (
    alike,
    check_classes,
    not_held_out,
    training_among_classes,
)
from efficientmixnet.components.image_example_gen.image_suffixes import SUFFIXES
from efficientmixnet.components.image_example_gen.skipped import Skipped
from efficientmixnet.components.image_example_gen.source_splits import CURE, SourceSplits, in_no_split, shown
from efficientmixnet.components.image_example_gen.split_names import TRAIN, SplitNames, is_unlabeled
from efficientmixnet.modules.exceptions import BadInput

_WRAPPERS = frozenset({"images", "image", "imgs", "img", "data"})  # folders between a split and its classes
_MOST_WRAPPERS = 3  # folders above those of splits, such as the one that an archive is unpacked to

Path = tuple[str, ...]  # the parts of a file's name


def of_folders(data: str, files: Iterable[File], names: SplitNames) -> SourceSplits:
    """Recognizes folders of splits: the top folders, those in the only top folder, or those in class folders.

    Args:
        data: The data folder, for messages.
        files: All files.
        names: The names of splits.

    Raises:
        BadInput: Another folder does not belong to any split, there are several sets of splits, or a split is among
            the class folders.
    """
    below = _images_by_top(files)
    above, level = "", below
    for _ in range(_MOST_WRAPPERS + 1):
        where = f"{data}/{above}".rstrip("/") if above else data
        found = _at_the_top(where, level, names)
        if not found.splits and len(level) != 1:
            found = _inside_classes(where, level, names)
        if found.splits:
            return replace(found.below(above), hint=_hint_in_splits(where, above, level, found, names))
        if len(level) != 1:
            break
        ((folder, paths),) = level.items()
        above, level = f"{above}{folder}/", _by_first(paths)
    found = _inside_classes(data, below, names)
    return found if found.splits else SourceSplits(hint=_hint(data, below, names))


def _images_by_top(files: Iterable[File]) -> dict[str, list[Path]]:
    """Returns the images by top folder. Images may have no suffix, as long as this is so for all in a top folder."""
    known: dict[str, list[Path]] = defaultdict(list)
    others: dict[str, list[File]] = defaultdict(list)
    for file in files:
        top, *rest = file.name.split("/")
        if rest and PurePosixPath(file.name).suffix.lower() in SUFFIXES:
            known[top].append(tuple(rest))
        elif rest and not Skipped.by_suffix(file.name):
            others[top].append(file)
    for top in others.keys() - known.keys():
        # The first file mostly decides.
        if any(file_may_be_image(file.path, file.name) for file in others[top]):
            known[top] = [tuple(file.name.split("/")[1:]) for file in others[top]]
    return {top: known[top] for top in sorted(known)}


def _by_first(paths: Iterable[Path]) -> dict[str, list[Path]]:
    """Returns the rest of each path by its first folder."""
    rests: dict[str, list[Path]] = defaultdict(list)
    for first, *rest in paths:
        if rest:
            rests[first].append(tuple(rest))
    return rests


def _at_the_top(where: str, below: Mapping[str, Sequence[Path]], names: SplitNames) -> SourceSplits:
    """Recognizes folders of splits, which hold class folders of the same names as the one of training.

    Without one of training, all folders must be named after splits, as in held-out data.
    """
    splits = names.of_names(below)
    depths = {top: _depth(top, below[top], names) for top in below}
    classes = {top: _folders(below[top], depths[top]) for top in below}
    training = _classes_of_training(splits, classes)
    alike = [top for top in below if classes[top] & training]
    used = {top: split for top, split in splits.items() if top in alike}
    if not used or (len(used) == 1 and len(training) < 2):
        return SourceSplits()
    others = [top for top in below if top not in splits]  # also masks, although they name a split
    lost = [top for top in others if top in alike or not (is_unlabeled(top) or names.of_name(top))]
    lost.sort(key=lambda top: top not in alike)
    if lost and len(splits) < 2 and lost[0] not in alike:
        return SourceSplits()  # Class folders, such as train, bus and tram.
    if lost:
        raise in_no_split(where, lost[0], used)
    for top in below:
        if top not in used and len(classes[top]) > 1:
            raise BadInput(f"data.images: {where}: {top} has other class folders than {shown(list(used))}. {CURE}")
    return SourceSplits(used, {top: depths[top] for top in used}, below.keys() - used.keys())


def _classes_of_training(splits: Mapping[str, str], classes: Mapping[str, set[str]]) -> set[str]:
    """Returns the names of the class folders of training.

    If no folder is named after training, it may have another name, such as learn beside test. Then these are the names
    that all folders with class folders have.
    """
    training = set().union(*(classes[top] for top, split in splits.items() if split == TRAIN))
    if training or not splits:
        return training
    if all(top in splits or is_unlabeled(top) for top in classes):
        return set().union(*classes.values())
    held_out = [found for top, found in classes.items() if found and top in splits]
    others = [found for top, found in classes.items() if found and top not in splits]
    shared = set.intersection(*held_out, *others) if held_out and others else set()
    return shared if len(shared) > 1 else set()


def _inside_classes(where: str, below: Mapping[str, Sequence[Path]], names: SplitNames) -> SourceSplits:
    """Recognizes folders of splits in class folders, such as cat/train/1.jpg.

    A class has a folder of training and another one, or several classes have one of training. Otherwise, these are
    other folders with such names, such as vehicles/train and labs/test_tube.
    """
    inner = {f"{top}/{name}": paths for top in sorted(below) for name, paths in sorted(_by_first(below[top]).items())}
    found = names.of_names({name.split("/")[1] for name in inner})
    splits = {name: found[folder] for name in inner if (folder := name.split("/")[1]) in found}
    training = {name.split("/")[0] for name, split in splits.items() if split == TRAIN}
    others = {name.split("/")[0] for name, split in splits.items() if split != TRAIN}
    if not training or not others or (len(training) == 1 and training.isdisjoint(others)):
        return SourceSplits()
    if lost := [name for name in inner if name not in splits]:
        raise in_no_split(where, lost[0], splits)
    shared = set.intersection(*(_classes_in(name, inner[name], names) for name in splits))
    if len(shared) > 1:
        raise BadInput(
            f"data.images: {where}: the splits {shown(list(splits))} hold the same folders, {shown(sorted(shared))}. "
            f"If these are the classes, give one of {shown(list(below))} as data.images. Otherwise, list the images in "
            "a manifest (data.manifest)."
        )
    return SourceSplits(splits)


def _classes_in(folder: str, paths: Sequence[Path], names: SplitNames) -> set[str]:
    """Returns the names of the folders in a folder of a split. A split in a class folder mostly has none."""
    return _folders(paths, _depth(folder.split("/")[1], paths, names))


def _hint(data: str, below: Mapping[str, Sequence[Path]], names: SplitNames) -> str:
    """Returns a note on class folders that hold the same folders or each other. They may be splits."""
    inner = {_composed(top): _folders(paths, 1) for top, paths in below.items()}
    doubt = alike(inner)
    if doubt:
        return f"{doubt}, map {shown(list(below))} in data.split_names"
    return check_classes(data, inner, names) or not_held_out(inner, names) or training_among_classes(inner, names)


def _hint_in_splits(
    where: str, above: str, below: Mapping[str, Sequence[Path]], found: SourceSplits, names: SplitNames
) -> str:
    """Returns a note on classes that hold the same folders or each other. They may be the folds of train/fold1/cat."""
    inner: dict[str, set[str]] = defaultdict(set)
    for top, depth in found.depths.items():
        for path in below[top]:
            if len(path) > depth:
                inner[_composed(path[depth - 1])].update(map(_composed, path[depth:-1][:1]))
    doubt = alike(inner)
    if not doubt:
        return check_classes(where, inner, names)
    top, split = min(found.splits.items(), key=lambda item: (item[1] != TRAIN, item[0]))
    wrappers = next(path[: found.depths[top] - 1] for path in below[top] if len(path) > found.depths[top])
    pattern = above + "/".join((top, *wrappers, "*"))
    return f"{doubt}, name the folders above them in data.layout.split_files, such as {{{split}: {pattern!r}}}"


def _folders(paths: Iterable[Path], depth: int) -> set[str]:
    """Returns the names of the folders at a depth, from 1, in one form of Unicode."""
    return {_composed(path[depth - 1]) for path in paths if len(path) > depth}


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _depth(top: str, paths: Sequence[Path], names: SplitNames) -> int:
    """Returns the number of folders above the class folders: 1, or more for such as train/images/cat/1.jpg."""
    depth, split = 1, names.of_name(top)
    while True:
        inner = _folders(paths, depth)
        name = next(iter(inner), "")
        is_wrapper = name.casefold() in _WRAPPERS or (split is not None and names.of_name(name) == split)
        if len(inner) != 1 or not is_wrapper:
            return depth
        depth += 1
