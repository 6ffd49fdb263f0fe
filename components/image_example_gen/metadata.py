"""metadata_images: the images that Hugging Face's metadata.csv or metadata.jsonl in the data folder names."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from efficientmixnet.components.image_example_gen.entry import Entry, LeftOut
from efficientmixnet.components.image_example_gen.files import File, open_file
from efficientmixnet.components.image_example_gen.layout import Layout
from efficientmixnet.components.image_example_gen.manifest import Manifest, image_column
from efficientmixnet.components.image_example_gen.skipped import Skipped
from efficientmixnet.components.image_example_gen.split_names import SplitNames
from efficientmixnet.modules.files.untrusted_json import parse_json

METADATA = ("metadata.csv", "metadata.jsonl")
_LONGEST = 2**20  # bytes of a first line

Found = tuple[Entry, File] | LeftOut | Skipped


def find_metadata(files: Sequence[File | LeftOut], layout: Layout) -> list[File]:
    """Returns the files of metadata that have columns of images and labels.

    Args:
        files: All files of the data folder.
        layout: The names of the columns.
    """
    if layout.format not in ("auto", "folders") or layout.split_files:
        return []
    listed = [file for file in files if isinstance(file, File) and file.name.rpartition("/")[2] in METADATA]
    return [file for file in listed if _names_images_and_labels(file, layout)]


def metadata_images(
    metadata: Sequence[File], files: Sequence[File | LeftOut], layout: Layout, names: SplitNames
) -> Iterator[Found]:
    """Yields the images that the metadata names, and the other files as left out or skipped.

    Without a column of splits, the folder of an image may name its split, as in train/metadata.csv. Metadata often
    comes from elsewhere with the images, so an image outside the data folder is left out.

    Args:
        metadata: The files of metadata. Paths in each are relative to its folder.
        files: All files of the data folder.
        layout: The names of the columns.
        names: The names of splits.
    """
    seen = set()
    inside = {file.path for file in files if isinstance(file, File)}
    for one in metadata:
        above = one.name.rpartition("/")[0]
        for item in Manifest(one.path, one.path.rpartition("/")[0], layout, names).images():
            if isinstance(item, LeftOut):
                seen.add(_below(above, item.name))
                yield replace(item, name=_below(above, item.name))
            else:
                entry, file = item
                name = _below(above, entry.name)
                seen.add(name)
                if file.path not in inside:
                    yield LeftOut(name, "is not in the data folder")
                    continue
                yield replace(entry, name=name, split=entry.split or names.of_path(name.rpartition("/")[0])), file
    for other in files:
        if isinstance(other, LeftOut):
            yield other
        elif other.name not in seen and other not in metadata:
            not_listed = LeftOut(other.name, "is not listed in the metadata", counts=False)
            yield Skipped.by_suffix(other.name) or not_listed


def _below(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _names_images_and_labels(file: File, layout: Layout) -> bool:
    """Returns whether the file has the columns. Manifest refuses one with another encoding or separator."""
    try:
        with open_file(file.path) as content:
            first = content.readline(_LONGEST).replace(b"\0", b"").decode("utf-8-sig", errors="ignore")
        is_json = file.name.endswith(".jsonl")
        columns = parse_json(first) if is_json else [one.strip('" \r\n') for one in re.split("[,;\t]", first)]
    except (OSError, ValueError):
        return False
    if not isinstance(columns, (dict, list)):
        return False
    image = image_column(layout.image or "path", columns)
    return image in columns and (layout.label or "label") in columns
