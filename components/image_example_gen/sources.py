"""find_images: lists the images of folders, of a manifest or of files with many images, without reading them."""

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain

from efficientmixnet.components.image_example_gen.check_sources import (
    check_effect,
    check_labels,
    check_split,
    nothing_found,
)
from efficientmixnet.components.image_example_gen.column_splits import unused_splits, with_column_splits
from efficientmixnet.components.image_example_gen.corrections import Corrections
from efficientmixnet.components.image_example_gen.entry import MAX_IMAGE_BYTES, Entry, LeftOut
from efficientmixnet.components.image_example_gen.examine import Found, examine
from efficientmixnet.components.image_example_gen.files import File, list_files
from efficientmixnet.components.image_example_gen.find_metadata import find_metadata, is_metadata
from efficientmixnet.components.image_example_gen.folder_splits import of_folders
from efficientmixnet.components.image_example_gen.image_suffixes import SUFFIXES
from efficientmixnet.components.image_example_gen.images_in_files import UNLABELED, images_in_files, shards_in
from efficientmixnet.components.image_example_gen.layout import Layout
from efficientmixnet.components.image_example_gen.manifest import Manifest
from efficientmixnet.components.image_example_gen.masks import set_masks_aside
from efficientmixnet.components.image_example_gen.metadata import metadata_images
from efficientmixnet.components.image_example_gen.readers.by_format import format_of
from efficientmixnet.components.image_example_gen.repeated_rows import RepeatedRows
from efficientmixnet.components.image_example_gen.skipped import Skipped
from efficientmixnet.components.image_example_gen.source_splits import SourceSplits, of_files
from efficientmixnet.components.image_example_gen.spans import Span, with_span
from efficientmixnet.components.image_example_gen.split_names import SplitNames
from efficientmixnet.modules.exceptions import BadInput

__all__ = ["SUFFIXES", "Entry", "LeftOut", "Sources", "find_images", "name_hash"]

_OURS = "image/"  # prefix of our own features


@dataclass(frozen=True)
class Sources:
    """The images of the data folder or manifest.

    Args:
        entries: The images, sorted by name.
        left_out: The files that are not used.
        fingerprint: A hash that changes when an image is added, removed, changed or corrected.
        bytes: The size of all files.
        format: The format of the data, one of Layout.format but never auto.
        span: The span that was read, if the data has spans.
        splits: The fraction of each split, with those that only the source names; empty if none was assigned.
        notes: How the splits were found.
        skipped: The number of files and folders that are not images, by kind.
        removed: The images that corrections leave out. They count when the others are divided into splits.
        corrections: What the list of corrections changes, in words; None without one.
    """

    entries: tuple[Entry, ...]
    left_out: tuple[LeftOut, ...]
    fingerprint: str
    bytes: int
    format: str = "folders"
    span: Span | None = None
    splits: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    skipped: Mapping[str, int] = field(default_factory=dict)
    removed: tuple[Entry, ...] = ()
    corrections: str | None = None

    @property
    def labels(self) -> Counter[str]:
        """The number of images by label."""
        return Counter(entry.label for entry in self.entries)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of all further features."""
        return tuple(sorted({name for entry in self.entries for name, _ in entry.columns}))

    def stop_if_changed(self, fingerprint: str, where: str) -> None:
        """Raises BadInput if these are not the images of the fingerprint. Every image fits an empty fingerprint."""
        if fingerprint and fingerprint != self.fingerprint:
            raise BadInput(
                f"{where}: the images are not those that this run listed at its start. Files were added, changed or "
                "removed, or a folder is not reachable. Run the command again when the images no longer change."
            )


def find_images(
    data: str,
    manifest: str | None,
    split_names: frozenset[str],
    layout: Layout | None = None,
    further_names: Mapping[str, str] | None = None,
    group: str | None = None,
    max_image_bytes: int = MAX_IMAGE_BYTES,
    least_labels: int = 2,
    corrections: str | None = None,
) -> Sources:
    """Lists the images of a dataset.

    Args:
        data: The folder of the images, or a file of many images.
        manifest: A CSV or JSON-lines file that names images relative to `data`; None for none.
        split_names: The splits of the configuration.
        layout: The layout of the data.
        further_names: The splits that further names in the data mean.
        group: A column that is read in addition to those of the layout.
        max_image_bytes: Larger images are left out.
        least_labels: The least number of labels.
        corrections: A CSV or JSON-lines file with the right labels of some images; None for none.

    Returns:
        The images and a fingerprint. No image is read. An image has a split if the source names it.

    Raises:
        BadInput: There are no images, or too few labels, or the layout or the corrections do not fit the data.
    """
    given = layout = layout or Layout()
    data, manifest, span = with_span(data, manifest, layout.span)
    unknown = sorted(set(layout.split_files) - split_names)
    if unknown and split_names:
        raise BadInput(
            f"data.layout.split_files: {unknown[0]!r} is not one of the splits {', '.join(sorted(split_names))}"
        )
    if manifest and layout.split_files:
        raise BadInput(
            "data.layout.split_files: has no effect on data.manifest. Remove it; a column of the manifest names splits."
        )
    names = SplitNames(split_names, further_names)
    kind, by_name, note = "folders", SourceSplits(), ""
    listed = [] if manifest else list(list_files(data))
    files = [file for file in listed if not isinstance(file, Skipped)]
    skipped = {file for file in listed if isinstance(file, Skipped)}  # A store repeats a folder for each of its files.
    metadata = [] if _is_one_file(data, files) else find_metadata(files, layout)
    if group and not (layout.features is None and (manifest or metadata)):  # Those have all columns.
        layout = layout.model_copy(update={"features": tuple(dict.fromkeys((*(layout.features or ()), group)))})
    if manifest:
        found: Iterable[Found] = Manifest(manifest, data, layout, names, RepeatedRows("data.manifest", group)).images()
    elif metadata:
        found = metadata_images(metadata, files, layout, names, group)
    else:
        kind = _format(data, files) if layout.format == "auto" else layout.format
        if kind == "folders":
            files, note = set_masks_aside(files)
        by_name = _splits_by_name(data, files, kind, layout, names)
        found = images_in_files(files, kind, layout, by_name, max_image_bytes)
        if kind != "folders" and not layout.split and not layout.split_files:
            found, note = with_column_splits(found, names, by_name.split)
    entries, left_out, fingerprint, size, kinds = examine(chain(skipped, found), names, max_image_bytes)
    where = manifest or data
    if not entries:
        lists = [file.name for file in files if is_metadata(file.name)]
        raise nothing_found(where, left_out, bool(manifest or metadata), kind, lists)
    by_folder = kind == "folders" and not manifest and not metadata
    check_effect(given, group, by_folder, span is not None)
    check_split(layout.split, (*entries, *left_out))
    if (manifest or metadata) and not any(entry.split for entry in entries):
        note = unused_splits(entries, names)
    notes = (*_notes(metadata, by_name, entries, left_out), *filter(None, [note]))
    sources = Sources(entries, left_out, fingerprint, size, kind, span, notes=notes, skipped=kinds)
    if corrections:
        sources = _corrected(sources, corrections)
    check_labels(where, sorted(sources.labels), left_out, by_folder, names, least_labels)
    clash = [name for name in sources.columns if name.startswith(_OURS)]
    if clash:
        raise BadInput(
            f"data.layout.features: {clash[0]!r} starts with {_OURS!r}, like our own features. Give it another name."
        )
    return sources


def _corrected(sources: Sources, file: str) -> Sources:
    """Returns the sources with the labels of the list of corrections."""
    found = Corrections.read(file).apply(sources.entries, sources.left_out)
    return replace(
        sources,
        entries=found.entries,
        removed=found.removed,
        left_out=(*sources.left_out, *found.left_out),
        fingerprint=found.fingerprint(sources.fingerprint),
        corrections=found.note,
    )


def name_hash(name: str) -> int:
    """Returns 64 evenly distributed bits of the image's name, which are the same in every form of Unicode."""
    name = unicodedata.normalize("NFC", name)
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")


def _is_one_file(data: str, files: list[File | LeftOut]) -> bool:
    return len(files) == 1 and files[0].name == data.rpartition("/")[2]


def _format(data: str, files: list[File | LeftOut]) -> str:
    """Returns the format by the names of the files."""
    kinds = Counter(format_of(file.name) for file in files)
    if _is_one_file(data, files) and None in kinds:
        raise BadInput(
            f"data.images: {data} is not a TFRecord, tar or Parquet file. Give such a file or a folder. Give a "
            "CSV or JSON lines file as data.manifest."
        )
    del kinds[None]
    images = sum(file.name.lower().endswith(tuple(SUFFIXES)) for file in files)
    if 0 < images < kinds.total():
        raise BadInput(
            f"data.images: {data} has {images:,} images and {kinds.total():,} files that may hold many. Choose what to "
            f"read in data.layout.format: folders or {', '.join(sorted(map(str, kinds)))}."
        )
    if images:
        return "folders"
    if len(kinds) > 1:
        raise BadInput(
            f"data.images: {data} has files of several formats ({', '.join(sorted(map(str, kinds)))}). "
            "Choose one in data.layout.format."
        )
    return str(next(iter(kinds), "folders"))


def _splits_by_name(
    data: str, files: list[File | LeftOut], kind: str, layout: Layout, names: SplitNames
) -> SourceSplits:
    """Returns the splits that the names of folders or files give, unless the layout says where splits are."""
    if layout.split_files or layout.split:
        return SourceSplits()
    listed = [file for file in files if isinstance(file, File)]
    if kind == "folders":
        return of_folders(data, listed, names)
    shards = shards_in([file.name for file in listed], kind)
    return of_files(data, [file for file in listed if file.name in shards], names)


def _notes(
    metadata: list[File], by_name: SourceSplits, entries: Iterable[Entry], left_out: Iterable[LeftOut]
) -> tuple[str, ...]:
    """Returns where labels and splits come from, and the folders or files without labels."""
    unlabeled: Counter[str] = Counter()
    for item in left_out:
        if item.reason == UNLABELED:
            key = by_name.key(item.name)
            unlabeled[key] += item.name != key  # not for a file whose images are not counted
    counted = {name: f"{name!r} ({count:,})" if count else repr(name) for name, count in unlabeled.items()}
    splits = sorted({entry.split for entry in entries if entry.split}) if metadata else []
    return (
        *(f"{file.name} has the labels" for file in metadata),
        *([f"the metadata or folders name the splits {', '.join(splits)}"] if splits else []),
        *by_name.notes(unlabeled),
        *(f"the images in {name} have no labels and are not used" for name in counted.values()),
    )
