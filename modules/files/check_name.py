"""check_name: refuses a folder whose name SQLite, JSON and TensorFlow cannot hold."""

import os

from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.text.character_to_refuse import character_to_refuse


def check_name(folder: str | os.PathLike[str]) -> None:
    """Checks the path of an output folder, of a folder in it or of a model, before anything in it is read.

    Args:
        folder: The folder.

    Raises:
        BadInput: The path is not text.
    """
    path = os.path.abspath(folder)
    if character := character_to_refuse(path):
        raise BadInput(f"{path!a}: has a character that is not text ({character}); rename the folder")
