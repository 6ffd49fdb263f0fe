"""What an exported model's folder holds, and which version is the newest."""

from pathlib import Path

from efficientmixnet.modules.exceptions import BadInput


def newest_version(folder: Path) -> Path:
    """The folder itself, if it holds a SavedModel, or its subfolder with the highest number.

    Raises:
        BadInput: there is none.
    """
    if (folder / "saved_model.pb").exists():
        return folder
    versions = [child for child in folder.glob("*") if child.name.isdigit() and (child / "saved_model.pb").exists()]
    if not versions:
        raise BadInput(f"{folder}: holds no model; name a folder that a run printed as its pushed model")
    return max(versions, key=lambda version: int(version.name))
