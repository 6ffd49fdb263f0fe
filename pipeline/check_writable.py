"""check_writable: finds out before the work whether its result can be written."""

import os
from pathlib import Path

from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.files.whole_file import TEMPORARY_BYTES


def check_writable(option: str, file: Path) -> None:
    """Checks a file that a command writes at its end. Folders that do not exist yet are made then.

    Args:
        option: The option that gives the file, such as --output.
        file: The file.

    Raises:
        BadInput: The file is a folder, its name is too long, or it is below something that cannot be written.
    """
    target = os.path.realpath(file)
    if os.path.isdir(target):
        raise BadInput(f"{option} {file}: is a folder; give a file in it")
    if os.path.exists(target) and not os.path.isfile(target):
        return  # a device such as /dev/null
    parent = next(one for one in Path(target).parents if os.path.exists(one))
    if not parent.is_dir() or not os.access(parent, os.W_OK):
        raise BadInput(f"{option} {file}: cannot be written: {parent} is not a folder that you can write to")
    most = os.pathconf(parent, "PC_NAME_MAX") - TEMPORARY_BYTES
    if any(len(os.fsencode(name)) > most for name in Path(target).relative_to(parent).parts):
        raise BadInput(f"{option} {file}: the name is too long; give one of at most {most} bytes")
