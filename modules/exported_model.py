"""What the folder of an exported model holds, and which version is the newest.

pushed/1795328785/          a version; its name is a number
    saved_model.pb ...      the SavedModel
    assets.extra/           where a SavedModel keeps files that are not TensorFlow's
        network.keras       the network, to start another training from
        labels.json         its labels, in the order of the probabilities
        channels.json       the number of channels of its images, if it is not 3
        budget.json         the network and the epochs that a budget chose, if there was one
        calibration.json    the temperature that its classifier's weights were divided by, if they were
"""

import os
from contextlib import suppress
from pathlib import Path

from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.files.check_name import check_name
from efficientmixnet.modules.files.stored_file import made_again, read_json

SERVING_FOLDER = "Format-Serving"  # in TFX's Model artifact, the folder of the SavedModel
SAVED_MODEL = "saved_model.pb"
PUSHED_FOLDER = "pushed"  # in the output folder of runs
NETWORK = "assets.extra/network.keras"
LABELS = "assets.extra/labels.json"
CHANNELS = "assets.extra/channels.json"
BUDGET = "assets.extra/budget.json"
CALIBRATION = "assets.extra/calibration.json"


def is_version(name: str) -> bool:
    """Returns whether the name is a whole number in ASCII digits, as TensorFlow Serving reads it."""
    return name.isascii() and name.isdecimal()


def newest_version(folder: Path) -> Path:
    """Returns the folder if it holds a SavedModel, or else the newest version in it, or in its folder `pushed`.

    Raises:
        BadInput: There is no model, the folder's name is not text, or a folder cannot be read.
    """
    try:
        check_name(folder)
        found = _newest_version(folder)
    except (FileNotFoundError, NotADirectoryError):
        found = None
    except OSError as error:
        raise BadInput(
            f"{error.filename or folder}: cannot be read: {error.strerror}; give a folder that you can read"
        ) from None
    if found is None:
        raise BadInput(f"{folder}: has no model; name a folder that a run printed as its pushed model")
    return found


def _newest_version(folder: Path) -> Path | None:
    if _has_model(folder):
        return folder
    names = os.listdir(folder)
    versions = [name for name in names if is_version(name) and _has_model(folder / name)]
    if versions:
        return folder / max(versions, key=int)
    return _newest_version(folder / PUSHED_FOLDER) if PUSHED_FOLDER in names else None


def _has_model(folder: Path) -> bool:
    """Whether the folder holds a SavedModel. A folder that cannot be read is an OSError."""
    with suppress(FileNotFoundError, NotADirectoryError):
        (folder / SAVED_MODEL).stat()
        return True
    return False


def channels_of(folder: str | Path) -> int:
    """Returns the number of channels of the images that an exported model takes.

    Raises:
        BadInput: The file with the number is damaged.
    """
    file = Path(folder, CHANNELS)
    return int(read_json(file, made_again(folder), "channels")["channels"]) if file.exists() else 3
