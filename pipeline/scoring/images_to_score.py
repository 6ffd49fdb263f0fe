"""find_images: the names of what is to be scored, below a folder or from a manifest, here or in an object store."""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from efficientmixnet.components.image_example_gen.entry import LeftOut
from efficientmixnet.components.image_example_gen.files import is_remote, list_files, open_file
from efficientmixnet.modules.exceptions import BadInput

_COLUMN = "path"
_JSON_LINES = (".jsonl", ".ndjson", ".json")


def find_images(folder: str, manifest: str | None = None) -> tuple[list[str], list[LeftOut]]:
    """Names relative to the folder, sorted, each once: of the files below it, or those that the manifest's rows name.

    Raises:
        BadInput: there are none; of those that cannot be named, each is left out with a reason.
    """
    if manifest:
        names, left_out = set(_named(manifest)), []
    else:
        if not is_remote(folder) and not Path(folder).is_dir():
            raise BadInput(f"{folder}: is no folder; name the one that holds the images, or a file with --manifest")
        try:
            found = list(list_files(folder))
        except BadInput as error:
            raise BadInput(str(error).removeprefix("data.images: ")) from None
        names = {file.name for file in found if not isinstance(file, LeftOut)}
        left_out = [file for file in found if isinstance(file, LeftOut)]
    if not names:
        raise BadInput(f"{manifest or folder}: {'names' if manifest else 'holds'} no files")
    return sorted(names), left_out


def _named(manifest: str) -> Iterator[str]:
    if not is_remote(manifest) and not Path(manifest).is_file():
        raise BadInput(f"--manifest {manifest}: does not exist; name a CSV or JSON-lines file with the key {_COLUMN}")
    try:
        with io.TextIOWrapper(open_file(manifest), encoding="utf-8-sig", newline="") as file:
            rows = _json_rows(file) if manifest.endswith(_JSON_LINES) else csv.DictReader(file)
            for number, row in enumerate(rows, 1):
                name = row.get(_COLUMN) if isinstance(row, dict) else None
                if not isinstance(name, str) or not name.strip():
                    raise BadInput(f"--manifest {manifest}: row {number} has no {_COLUMN}, the name of its image")
                yield name.strip()
    except (csv.Error, json.JSONDecodeError, UnicodeDecodeError, OSError) as error:
        raise BadInput(f"--manifest {manifest}: cannot be read ({error})") from None


def _json_rows(lines: Iterable[str]) -> Iterator[Any]:
    return (json.loads(line) for line in lines if line.strip())
