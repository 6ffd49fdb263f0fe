"""metadata_images: the images that Hugging Face's metadata.csv or metadata.jsonl in the data folder names."""

import posixpath
from collections.abc import Iterator, Sequence, Set
from dataclasses import replace
from itertools import accumulate

from efficientmixnet.components.image_example_gen.check_sources import check_split
from efficientmixnet.components.image_example_gen.entry import Entry, LeftOut
from efficientmixnet.components.image_example_gen.examine import Found
from efficientmixnet.components.image_example_gen.files import File
from efficientmixnet.components.image_example_gen.layout import Layout
from efficientmixnet.components.image_example_gen.manifest import Manifest
from efficientmixnet.components.image_example_gen.named_files import ListedFiles
from efficientmixnet.components.image_example_gen.repeated_rows import RepeatedRows
from efficientmixnet.components.image_example_gen.skipped import Skipped
from efficientmixnet.components.image_example_gen.split_names import TEST, TRAIN, SplitNames, is_unlabeled
from efficientmixnet.modules.exceptions import BadInput


def metadata_images(
    metadata: Sequence[File], files: Sequence[File | LeftOut], layout: Layout, names: SplitNames, group: str | None
) -> Iterator[Found]:
    """Yields the images that the metadata names, and the other files as left out or skipped.

    Without a column of splits, the folders of the images may name splits, as in train/metadata.csv. Metadata often
    comes from elsewhere with the images, so an image outside its folder is left out.

    Args:
        metadata: The files of metadata. Paths in each are relative to its folder.
        files: All files of the data folder.
        layout: The names of the columns.
        names: The names of splits.
        group: The column of the group; None for none.

    Raises:
        BadInput: The metadata is not a manifest or has no splits where the layout says, or the folder of an image is in
            no split, unlike others.
    """
    items = list(_listed_images(metadata, files, layout, names, group))
    about = [item[0] if isinstance(item, tuple) else item for item in items if not isinstance(item, Skipped)]
    check_split(layout.split, about)  # Splits of folders do not make up for those of the column.
    splits = _splits_of_folders([item[0] for item in items if isinstance(item, tuple) and not item[0].split], names)
    for item in items:
        if isinstance(item, tuple):
            entry, file = item
            yield replace(entry, split=entry.split or splits.get(entry.name)), file
        else:
            yield item


def _listed_images(
    metadata: Sequence[File], files: Sequence[File | LeftOut], layout: Layout, names: SplitNames, group: str | None
) -> Iterator[Found]:
    """Yields the images, with the split that a column names."""
    seen = set()
    data = ListedFiles(file for file in files if isinstance(file, File))
    repeated = RepeatedRows("data.images", group)
    for one in metadata:
        for item in Manifest(one.path, posixpath.dirname(one.path), layout, names, repeated, data).images():
            seen.add(item.name if isinstance(item, LeftOut) else item[0].name)
            yield item
    folders = {posixpath.dirname(one.name) for one in metadata}
    for other in files:
        if isinstance(other, LeftOut):
            yield other
        elif other.name not in seen and other not in metadata:
            yield Skipped.by_suffix(other.name) or _not_listed(other.name, folders, names)


def _not_listed(name: str, folders: Set[str], names: SplitNames) -> LeftOut:
    """Returns why an image is not used. It counts for `data.max_left_out` if only other folders have metadata.

    There are two exceptions: test images, which often have no labels, and folders beside those of splits.
    """
    above = ["", *accumulate(name.split("/")[:-1], "{}/{}".format)]
    if not folders.isdisjoint(above):
        return LeftOut(name, "is not listed in the metadata", counts=False)
    split = names.of_path(above[-1])
    may_be_other = any(map(names.of_path, folders)) and not split
    is_aside = split == TEST or is_unlabeled(above[-1]) or may_be_other
    return LeftOut(name, "has no metadata in its folder or above it", counts=not is_aside)


def _splits_of_folders(entries: Sequence[Entry], names: SplitNames) -> dict[str, str]:
    """Returns the split of each image, by its name, if the folders of all images name splits at the same level.

    Class folders are not splits, such as test_tube beside beaker.
    """
    above = [entry.name.split("/")[:-1] for entry in entries]
    labels = [entry.label for entry in entries]
    lost: list[str] = []
    for level in range(max(map(len, above), default=0)):
        folders = [parts[level] if level < len(parts) else "" for parts in above]
        meaning = {folder: names.of_name(folder) for folder in set(folders)}
        found = set(meaning.values())
        has_one_label_each = len(set(zip(folders, labels, strict=True))) == len(meaning)
        if has_one_label_each and len(meaning) == len(set(labels)) > 1:
            continue
        if None not in found and (TRAIN in found or len(found) > 1):
            return {entry.name: str(meaning[folder]) for entry, folder in zip(entries, folders, strict=True)}
        if None in found and found - {None, TRAIN} and not has_one_label_each:
            lost += [entry.name for entry, folder in zip(entries, folders, strict=True) if meaning[folder] is None]
    if lost:
        raise BadInput(
            f"data.images: the folder of {lost[0]} is in no split, unlike other folders in the metadata. Give the "
            "metadata a column split, or rename the folder."
        )
    return {}
