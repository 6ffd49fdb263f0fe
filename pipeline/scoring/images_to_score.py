"""find_images: lists the images to score, from a folder or a manifest, on disk or in an object store."""

import csv
import io
import os
from collections.abc import Iterable, Iterator
from typing import Any

from efficientmixnet.components.image_example_gen.entry import LeftOut
from efficientmixnet.components.image_example_gen.files import File, is_remote, join, list_files, open_file
from efficientmixnet.components.image_example_gen.named_files import find_named
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.files.csv_cells import from_cell
from efficientmixnet.modules.files.short_lines import short_lines
from efficientmixnet.modules.files.untrusted_json import parse_json
from efficientmixnet.modules.text.character_to_refuse import character_to_refuse

_COLUMN = "path"
_JSON_LINES = (".jsonl", ".ndjson", ".json")


def find_images(folder: str, manifest: str | None = None) -> tuple[dict[str, str], list[LeftOut]]:
    """Lists the images to score.

    Args:
        folder: The folder of the images. Its subfolders are included.
        manifest: A CSV or JSON-lines file with the names in its column `path`, relative to the folder.

    Returns:
        The names in order, each with the size and the time of the last change of its file where they are known, and the
        files whose names cannot be used.

    Raises:
        BadInput: There are no images, or the folder or the manifest cannot be read.
    """
    if manifest:
        # A store would have to be asked for each image.
        names = {
            name: "" if is_remote(join(folder, name)) else _version(find_named(folder, name)[1])
            for name in _named(manifest)
        }
        left_out = []
    else:
        if not is_remote(folder) and not os.path.isdir(folder):
            raise BadInput(f"{folder}: is not a folder; give the folder of the images")
        try:
            found = list(list_files(folder))
        except BadInput as error:
            raise BadInput(str(error).removeprefix("data.images: ")) from None
        names = {file.name: _version(file) for file in found if isinstance(file, File)}
        left_out = [file for file in found if isinstance(file, LeftOut)]
    if not names:
        raise BadInput(f"{manifest or folder}: has no images; give another {'manifest' if manifest else 'folder'}")
    return dict(sorted(names.items())), left_out


def _version(file: File | None) -> str:
    return f"{file.size} {file.changed}" if file else ""


def _named(manifest: str) -> Iterator[str]:
    if not is_remote(manifest) and not os.path.isfile(manifest):
        what = "is not a file" if os.path.lexists(manifest) else "does not exist"
        raise BadInput(f"--manifest {manifest}: {what}; give a CSV or JSON-lines file with the column {_COLUMN}")
    try:
        with io.TextIOWrapper(open_file(manifest), encoding="utf-8-sig", newline="") as file:
            lines = short_lines(file, f"--manifest {manifest}")
            rows = _json_rows(lines) if manifest.endswith(_JSON_LINES) else _csv_rows(manifest, lines)
            for number, row in enumerate(rows, 1):
                name = row.get(_COLUMN) if isinstance(row, dict) else None
                if not isinstance(name, str) or not name.strip():
                    raise BadInput(f"--manifest {manifest}: row {number} has no {_COLUMN}; give the path of an image")
                if character := character_to_refuse(name):
                    raise BadInput(f"--manifest {manifest}: row {number} has the character {character} in its path")
                yield name.strip()
    except BadInput:
        raise
    except (ValueError, OSError) as error:
        raise BadInput(f"--manifest {manifest}: cannot be read ({error})") from None


def _csv_rows(manifest: str, lines: Iterable[str]) -> Iterator[Any]:
    rows = csv.DictReader(lines, strict=True, skipinitialspace=True)
    try:
        for row in rows:
            yield {**row, _COLUMN: from_cell(row.get(_COLUMN) or "")}
    except csv.Error as error:
        line = rows.line_num + 1
        raise BadInput(
            f"--manifest {manifest}: line {line} is not CSV ({error}). Separate values by commas, and close quotes."
        ) from None


def _json_rows(lines: Iterable[str]) -> Iterator[Any]:
    return (parse_json(line) for line in lines if line.strip())
