"""images_in_files: the images of class folders, or those in files with many images, with the files left out."""

from collections.abc import Collection, Iterator
from fnmatch import fnmatchcase

from efficientmixnet.components.image_example_gen.class_folders import as_image
from efficientmixnet.components.image_example_gen.entry import Entry, LeftOut
from efficientmixnet.components.image_example_gen.examine import Found
from efficientmixnet.components.image_example_gen.files import File, file_may_be_image
from efficientmixnet.components.image_example_gen.label_names import LabelNames
from efficientmixnet.components.image_example_gen.layout import Layout
from efficientmixnet.components.image_example_gen.readers.by_format import NO_LABEL, entries_of, format_of
from efficientmixnet.components.image_example_gen.skipped import Skipped, may_hold_images
from efficientmixnet.components.image_example_gen.source_splits import SourceSplits
from efficientmixnet.components.image_example_gen.split_names import TRAIN
from efficientmixnet.modules.exceptions import BadInput, NoLabels

UNLABELED = "has no label, like all images in the same place"
"""The reason of images that are not used with a folder or file without labels."""


def shards_in(names: Collection[str], kind: str) -> set[str]:
    """Returns the files that are read in a format: those with its suffixes, or else all whose suffix is unknown.

    Args:
        names: The names of all files.
        kind: The format.
    """
    named = {name for name in names if format_of(name) == kind}
    return named or {name for name in names if not (format_of(name) or Skipped.by_suffix(name))} or set(names)


def images_in_files(
    files: Collection[File | LeftOut], kind: str, layout: Layout, by_name: SourceSplits, max_bytes: int
) -> Iterator[Found]:
    """Yields the images of a data folder, and the files that are left out or skipped.

    Args:
        files: All files of the data folder.
        kind: The format of the data.
        layout: The layout of the configuration.
        by_name: The splits that names of folders or files give.
        max_bytes: The largest size of an encoded image.

    Raises:
        BadInput: A label is no class, a file does not fit the layout, or a key of the layout has no effect.
    """
    label_names = LabelNames.read(layout.label_names)
    unused = dict(layout.split_files)
    shards = set() if kind == "folders" else shards_in([one.name for one in files if isinstance(one, File)], kind)
    for file in files:
        if isinstance(file, LeftOut):
            yield file
            continue
        split, depth = by_name.of(file.name) or _split_by_file(file.name, layout)
        unused.pop(split or "", None)
        if layout.split_files and split is None:
            yield LeftOut(file.name, "is not in a split of data.layout.split_files", counts=False)
        elif by_name.has_no_label(file.name):
            yield LeftOut(file.name, UNLABELED, counts=False)
        elif kind == "folders":
            item = as_image(file, depth, split, label_names)
            if isinstance(item, Entry) and by_name.splits and split is None:
                item = LeftOut(file.name, "is in no split", counts=file_may_be_image(file.path, file.name))
            yield (item, file) if isinstance(item, Entry) else item
        elif file.name not in shards:
            is_shard = may_hold_images(file.name)
            counts = layout.format == "auto" and (is_shard or file_may_be_image(file.path, file.name))
            other = LeftOut(file.name, f"is not a {kind} file", counts)
            yield other if is_shard else Skipped.by_suffix(file.name) or other
        else:
            yield from _images_of(file, kind, layout, label_names, split, max_bytes)
    label_names.check(must_be_used=kind == "folders")
    if unused:
        split, pattern = next(iter(unused.items()))
        raise BadInput(
            f"data.layout.split_files: {pattern!r}, the pattern of {split}, matches no file, or only those of an "
            "earlier pattern. Correct or remove it."
        )


def _images_of(
    file: File, kind: str, layout: Layout, label_names: LabelNames, split: str | None, max_bytes: int
) -> Iterator[Found]:
    """Yields the images of a file with many images."""
    held_out = split not in (None, TRAIN)
    try:
        items = list(entries_of(file, kind, layout, label_names, split if layout.split_files else None, max_bytes))
    except NoLabels:
        if not held_out:
            raise
        items = [LeftOut(file.name, NO_LABEL)]
    unlabeled = held_out and all(map(_has_no_label, items))
    for item in items:
        if isinstance(item, Entry):
            yield item, file
        else:
            yield LeftOut(item.name, UNLABELED, counts=False) if unlabeled else item


def _has_no_label(item: Entry | LeftOut) -> bool:
    return isinstance(item, LeftOut) and item.reason.startswith(NO_LABEL)


def _split_by_file(name: str, layout: Layout) -> tuple[str | None, int]:
    """Returns the split that the name of the file or of its folder gives, and how many folders its pattern spans."""
    parts = name.split("/")
    for split, pattern in layout.split_files.items():
        depth = pattern.strip("/").count("/") + 1
        if fnmatchcase("/".join(parts[:depth]), pattern.strip("/")):
            return split, depth
    return None, 0
