"""SplitNames: finds the split that a name means, such as eval for Validation or train for seg_train."""

import re
from collections.abc import Collection, Iterable, Mapping

TRAIN, EVAL, TEST = "train", "eval", "test"

_SPELLINGS = {
    TRAIN: ("train", "training", "trainval", "train_val"),
    EVAL: ("eval", "evaluation", "val", "valid", "validation", "validate", "dev", "development"),
    TEST: ("test", "testing"),
}
_MEANINGS = {spelling: split for split, spellings in _SPELLINGS.items() for spelling in spellings}
_UNLABELED = frozenset({"unlabeled", "unlabelled", "unsupervised", "pred", "predict", "prediction", "submission"})
MASKS = frozenset({"mask", "masks", "label", "labels", "annotation", "annotations", "segmentation", "gt"})
"""The names of folders with the masks of images, in lower case."""
_OTHER_WORDS = frozenset({"", "seg"})  # in the name of a split
# As in trainset and testdataset. The limit keeps the time linear, since names come from outside.
_KIND = re.compile(r"(set|data|images?|imgs?|split|dir|folder|files?){1,4}$")
_CAMEL_CASE = re.compile(r"(?<=[a-z])(?=[A-Z])")  # as in trainData


class SplitNames:
    """The names of splits.

    Args:
        splits: The splits of the configuration, which mean themselves.
        further: The meaning of further names.
    """

    def __init__(self, splits: Collection[str], further: Mapping[str, str] | None = None) -> None:
        self._splits = tuple(splits)
        self._exact = {split.casefold(): split for split in splits}
        self._exact.update({name.casefold(): split for name, split in (further or {}).items()})

    def of_value(self, name: str) -> str | None:
        """Returns the split that a column names, or None. Without splits, every name is one."""
        known = name.strip().casefold()
        if found := self._exact.get(known) or _MEANINGS.get(_without_kind(known)):
            return found
        words = {word for part in _parts(name) if (word := _without_kind(part)) not in _OTHER_WORDS}
        only = words.pop() if len(words) == 1 else ""
        return self._exact.get(only) or _MEANINGS.get(only) or (None if self._splits else name)

    def of_name(self, name: str) -> str | None:
        """Returns the split that is a part of a folder's or file's name; None if there is none, or more than one.

        The images of train_val are for training, since they are not held out for the end.
        """
        if exact := self._exact.get(name.casefold()):
            return exact
        parts = _parts(name)
        found = {self._exact.get(part) or _MEANINGS.get(_without_kind(part)) for part in parts} - {None}
        return TRAIN if found == {TRAIN, EVAL} else found.pop() if len(found) == 1 else None

    def of_names(self, names: Iterable[str]) -> dict[str, str]:
        """Returns the splits of names beside each other. Masks, such as train_masks beside train, are in no split."""
        found = {name: split for name in names if (split := self.of_name(name))}
        masks = {name for name in found if name.casefold() not in self._exact and not MASKS.isdisjoint(_parts(name))}
        of_images = {found[name] for name in found.keys() - masks}
        return {name: split for name, split in found.items() if name not in masks or split not in of_images}

    def of_path(self, path: str) -> str | None:
        """Returns the split that the last part of a path names, or else the folder closest to it; None without one."""
        return next((split for part in reversed(path.split("/")) if (split := self.of_name(part))), None)

    def unknown(self, name: str) -> str:
        """Returns the reason why an image with an unknown split is left out."""
        return (
            f"has the split {name!r}, which is not one of {', '.join(sorted(self._splits))}; map it in data.split_names"
        )


def is_unlabeled(name: str) -> bool:
    """Returns whether the name of a folder or file says that its images have no labels."""
    return not _UNLABELED.isdisjoint(map(_without_kind, _parts(name)))


def _parts(name: str) -> list[str]:
    return re.split(r"[^a-z]+", _CAMEL_CASE.sub("-", name).casefold())


def _without_kind(word: str) -> str:
    return _KIND.sub("", word)
