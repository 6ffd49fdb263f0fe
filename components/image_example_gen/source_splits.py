"""SourceSplits: the splits that the names of folders or files give, such as train/cat/1.jpg or test-00000.parquet."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from efficientmixnet.components.image_example_gen.files import File
from efficientmixnet.components.image_example_gen.split_names import TRAIN, SplitNames, is_unlabeled
from efficientmixnet.modules.exceptions import BadInput

CURE = "Give its split in data.split_names or data.layout.split_files, or rename or remove it."


@dataclass(frozen=True)
class SourceSplits:
    """The splits that names give.

    Args:
        splits: The split of each folder, or of each file with many images.
        depths: The number of folders between the data folder and the class folders, by top folder; 0 if missing.
        unlabeled: The top folders, or files, without labels.
        hint: A note on folders whose meaning is in doubt; empty if there are none.
    """

    splits: Mapping[str, str] = field(default_factory=dict)
    depths: Mapping[str, int] = field(default_factory=dict)
    unlabeled: Collection[str] = ()
    hint: str = ""

    def of(self, name: str) -> tuple[str, int] | None:
        """Returns the split of a file, and the number of folders above its class folder."""
        key = self.key(name)
        return (self.splits[key], self.depths.get(key, 0)) if key in self.splits else None

    def split(self, name: str) -> str | None:
        """Returns the split of a file; None if its name gives none."""
        return self.splits.get(self.key(name))

    def has_no_label(self, name: str) -> bool:
        """Returns whether the images of a file have no labels."""
        return self.key(name) in self.unlabeled

    def key(self, name: str) -> str:
        """Returns the top folder, or the file with many images, that a file or image is in."""
        prefixes = accumulate(name.split("/"), "{}/{}".format)
        return next((prefix for prefix in prefixes if prefix in self.splits or prefix in self.unlabeled), "")

    def below(self, above: str) -> "SourceSplits":
        """Returns the splits for a data folder that has these folders in another one. Its name ends with a slash."""
        depth = above.count("/")
        return SourceSplits(
            {f"{above}{name}": split for name, split in self.splits.items()},
            {f"{above}{name}": self.depths.get(name, 0) + depth for name in self.splits},
            {f"{above}{name}" for name in self.unlabeled},
        )

    def notes(self, left_out: Iterable[str]) -> list[str]:
        """Returns the splits in words.

        Args:
            left_out: The names of folders or files that are not used.
        """
        by_split: dict[str, list[str]] = defaultdict(list)
        for name in self.splits.keys() - set(left_out):
            by_split[self.splits[name]].append(name)
        in_order = sorted(by_split.items(), key=lambda item: (item[0] != TRAIN, item[0]))
        notes = [f"{shown(sorted(names))} {'is' if len(names) == 1 else 'are'} {split}" for split, names in in_order]
        if notes:
            notes[-1] += " (data.layout.split_files changes this)"
        return [*notes, self.hint] if self.hint else notes


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
    held_out = set(splits.values()) - {TRAIN}
    aside = {name for name in found if name not in splits and is_unlabeled(name)}
    lost = [name for name in found if name not in splits and name not in aside]
    if lost and held_out:
        raise in_no_split(data, lost[0], splits)
    if lost or (TRAIN not in splits.values() and len(held_out) < 2):
        return SourceSplits()
    return SourceSplits(splits, {}, aside)


def in_no_split(where: str, name: str, others: Collection[str]) -> BadInput:
    """Returns the error for a folder or file beside those of splits, with whose images its own would be mixed."""
    return BadInput(f"data.images: {where}: {name} is in no split, unlike {shown(list(others))}. {CURE}")


def shown(names: Sequence[str]) -> str:
    """Returns the first names as text, and the number of the others."""
    printable = [name if name.isprintable() else repr(name) for name in names]
    *others, last = printable if len(names) <= 3 else [*printable[:2], f"{len(names) - 2:,} more"]
    return f"{', '.join(others)} and {last}" if others else last
