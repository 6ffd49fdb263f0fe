"""find_metadata: finds Hugging Face's metadata.csv and metadata.jsonl in the data folder, which list images."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from efficientmixnet.components.image_example_gen.entry import LeftOut
from efficientmixnet.components.image_example_gen.files import File, open_file
from efficientmixnet.components.image_example_gen.image_suffixes import SUFFIXES
from efficientmixnet.components.image_example_gen.layout import Layout
from efficientmixnet.components.image_example_gen.manifest_rows import LABEL, PATH, is_json_lines, usual_columns
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.files.untrusted_json import parse_json

_NAMES = ("metadata.csv", "metadata.jsonl")
_PARQUET = "metadata.parquet"  # Hugging Face reads it too
_LONGEST = 2**20  # bytes of a line
_ROWS = 100  # of JSON; each has only the keys of its own values
_FOLDERS = "or set data.layout.format: folders, so that folders are the classes."


def is_metadata(name: str) -> bool:
    """Returns whether a file has the name of metadata that can be read."""
    return _last(name) in _NAMES


def find_metadata(files: Sequence[File | LeftOut], layout: Layout) -> list[File]:
    """Returns the files of metadata that have columns of images and labels.

    Args:
        files: All files of the data folder.
        layout: The names of the columns.

    Raises:
        BadInput: Metadata names images but has no column of labels, or is a Parquet file. The folders, which may not be
            classes, would be used instead. Or the layout names splits by folders.
    """
    if layout.format not in ("auto", "folders") or (layout.format == "folders" and layout.split_files):
        return []
    listed = {file: _columns(file) for file in files if isinstance(file, File) and is_metadata(file.name)}
    found = [file for file, columns in listed.items() if _names_images(columns, layout, with_labels=True)]
    has_images = any(file.name.lower().endswith(tuple(SUFFIXES)) for file in files)
    if not found and layout.format == "auto" and has_images and not layout.split_files:
        _check_labels(listed, layout)
        _check_parquet(files, layout)
    if found and layout.split_files:
        raise BadInput(
            f"data.layout.split_files: has no effect on {found[0].name}, which names the images. Remove it, since a "
            f"column of the file names splits, {_FOLDERS}"
        )
    return found


def _check_labels(listed: Mapping[File, Collection[str]], layout: Layout) -> None:
    for file, columns in listed.items():
        if _names_images(columns, layout):
            raise BadInput(
                f"data.images: {file.name} names images, but has no column {layout.label or LABEL!r}; its columns are "
                f"{', '.join(columns)}. Name the column of labels of {file.name} in data.layout.label, {_FOLDERS}"
            )


def _check_parquet(files: Iterable[File | LeftOut], layout: Layout) -> None:
    for file in files:
        if isinstance(file, File) and _last(file.name) == _PARQUET and _names_images(_parquet_columns(file), layout):
            raise BadInput(
                f"data.images: {file.name} names images, but such a file is not read. Write it as metadata.csv, "
                f"{_FOLDERS}"
            )


def _last(name: str) -> str:
    return name.rpartition("/")[2].lower()


def _names_images(columns: Collection[str], layout: Layout, with_labels: bool = False) -> bool:
    label = layout.label or LABEL
    image, usual = usual_columns(columns, layout.image or PATH, label)
    return image in usual and (label in usual or not with_labels)


def _columns(file: File) -> list[str]:
    """Returns the columns, or none if it is no table. Manifest refuses one with another encoding or separator."""
    keys: dict[str, None] = {}
    try:
        with open_file(file.path) as content:
            for _ in range(_ROWS if is_json_lines(file.name) else 1):
                line = content.readline(_LONGEST).replace(b"\0", b"").decode("utf-8-sig", errors="ignore")
                if is_json_lines(file.name):
                    row = parse_json(line) if line.strip() else {}
                    keys |= dict.fromkeys(row if isinstance(row, dict) else ())
                else:
                    keys |= dict.fromkeys(one.strip('" \r\n') for one in re.split("[,;\t]", line))
    except (OSError, ValueError):
        pass  # the keys of the rows before
    return list(keys)


def _parquet_columns(file: File) -> list[str]:
    import pyarrow

    from efficientmixnet.modules.files.parquet_file import open_parquet

    try:
        with open_file(file.path) as content:
            return list(open_parquet(content).schema_arrow.names)
    except (pyarrow.ArrowException, OSError, ValueError):
        return []
