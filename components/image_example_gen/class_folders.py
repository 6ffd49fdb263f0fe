"""Class folders: every file below a folder is an image of the class that the folder is named as."""

import unicodedata
from pathlib import PurePosixPath

from efficientmixnet.components.image_example_gen.entry import SUFFIXES, Entry, LeftOut
from efficientmixnet.components.image_example_gen.files import File


def as_image(file: File, depth: int = 0, split: str | None = None) -> Entry | LeftOut:
    """The file as an image of its class; the class folders lie `depth` folders below the data folder."""
    parts = file.name.split("/")
    if len(parts) < depth + 2:
        counts = PurePosixPath(file.name).suffix.lower() in SUFFIXES
        return LeftOut(file.name, "lies in no class folder", counts=counts)
    return Entry(file.path, file.name, unicodedata.normalize("NFC", parts[depth]), split)
