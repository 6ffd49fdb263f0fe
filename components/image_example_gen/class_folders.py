"""Class folders: every file in a folder, or below it, is an image of the class that the folder is named after."""

import unicodedata

from efficientmixnet.components.image_example_gen.entry import Entry, LeftOut
from efficientmixnet.components.image_example_gen.files import File, file_may_be_image
from efficientmixnet.components.image_example_gen.label_names import NO_NAMES, LabelNames
from efficientmixnet.components.image_example_gen.skipped import Skipped
from efficientmixnet.modules.exceptions import BadInput, BadLabel


def as_image(
    file: File, depth: int = 0, split: str | None = None, label_names: LabelNames = NO_NAMES
) -> Entry | LeftOut | Skipped:
    """Returns the file as an image of its class.

    Args:
        file: The file.
        depth: How many folders are between the data folder and the class folders.
        split: The file's split, if its folder sets it.
        label_names: The names of folders that are numbers.
    """
    if skipped := Skipped.by_suffix(file.name):
        return skipped
    parts = file.name.split("/")
    if len(parts) < depth + 2:
        return LeftOut(file.name, "is not in a class folder", counts=file_may_be_image(file.path, file.name))
    try:
        label = label_names.name(parts[depth])
    except BadLabel as error:
        raise BadInput(f"data.images: the class folder of {file.name!r} {error}") from None
    if not label:
        return LeftOut(file.name, f"has no label: the folder {parts[depth]!r} names no class")
    return Entry(file.path, file.name, unicodedata.normalize("NFC", label), split)
