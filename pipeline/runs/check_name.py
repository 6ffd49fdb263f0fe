"""check_name: refuses an output folder whose name SQLite, JSON and terminals cannot hold."""

import os

from efficientmixnet.components.image_example_gen.entry import character_to_refuse
from efficientmixnet.modules.exceptions import BadInput


def check_name(folder: str) -> None:
    """Checks the path of an output folder, or of a folder in it, before anything in it is read.

    Args:
        folder: The folder.

    Raises:
        BadInput: The path is not text.
    """
    path = os.path.abspath(folder)
    if character := character_to_refuse(path):
        raise BadInput(f"{path!a}: has a character that is not text ({character}); rename the folder")
