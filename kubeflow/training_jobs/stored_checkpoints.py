"""StoredCheckpoints: copies of checkpoints in the object store, for workers that lose their disks with their pods."""

import os
from pathlib import Path

from efficientmixnet.kubeflow.store import object_store
from efficientmixnet.modules import progress
from efficientmixnet.modules.exceptions import StoreUnavailable

_State = tuple[int, int]  # size, and time of the last change


class StoredCheckpoints:
    """Keeps the checkpoints of one training, and the logs in the same folder.

    Workers fetch after all of them have connected, and only the first one writes. So all continue from the same
    checkpoint.

    Args:
        place: The URI of the folder for the copies.
    """

    def __init__(self, place: str) -> None:
        self._place = place
        self._kept: dict[str, _State] = {}

    def fetch(self, folder: Path) -> None:
        """Downloads the copies unless the local folder has checkpoints."""
        if not any(folder.glob("epoch-*.npz")):
            before = _files(folder)  # such as budget.json, which have no copies yet
            object_store.download(f"{self._place}/{folder.name}", str(folder))
            self._kept = dict(_files(folder).items() - before.items())

    def keep(self, folder: Path) -> None:
        """Updates the copies. If the store does not answer, training continues, and the next checkpoint tries again."""
        try:
            self._update(folder)
        except StoreUnavailable as error:
            progress.tell(f"{error}; training continues without a copy of this checkpoint")

    def _update(self, folder: Path) -> None:
        now = _files(folder)
        for name, state in now.items():
            if self._kept.get(name) != state:
                object_store.upload(f"{folder}/{name}", f"{self._place}/{folder.name}/{name}")
                self._kept[name] = state
        for name in self._kept.keys() - now.keys():  # last, so that the store always has a complete checkpoint
            object_store.remove(f"{self._place}/{folder.name}/{name}")
            del self._kept[name]

    def forget(self) -> None:
        """Deletes the copies after the model has been delivered."""
        object_store.remove(self._place)


def _files(folder: Path) -> dict[str, _State]:
    # Unlike rglob, walk skips folders that vanish, such as those of files that have just been completed.
    found = (Path(parent, name) for parent, _, names in os.walk(folder) for name in names)
    files = [file for file in sorted(found) if file.is_file() and file.suffix != ".part"]
    return {str(file.relative_to(folder)): (file.stat().st_size, file.stat().st_mtime_ns) for file in files}
