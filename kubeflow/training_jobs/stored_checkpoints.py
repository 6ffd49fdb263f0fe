"""StoredCheckpoints: the checkpoints of workers whose disks go with their pods, kept in the object store."""

from pathlib import Path

from efficientmixnet.kubeflow.store import object_store
from efficientmixnet.modules import progress
from efficientmixnet.modules.exceptions import StoreUnavailable

_State = tuple[int, int]  # size, and time of the last change


class StoredCheckpoints:
    """The keeper of a training's checkpoints, and of the logs that lie beside them.

    Workers fetch after all of them have met, and only the first one writes, so all take up the same.
    """

    def __init__(self, place: str) -> None:
        self._place = place
        self._kept: dict[str, _State] = {}

    def fetch(self, folder: Path) -> None:
        if not any(folder.glob("epoch-*.npz")):
            object_store.download(f"{self._place}/{folder.name}", str(folder))
            self._kept = _files(folder)

    def keep(self, folder: Path) -> None:
        """A store that is away costs no training; the next checkpoint may find it back."""
        try:
            self._bring_up_to_date(folder)
        except StoreUnavailable as error:
            progress.tell(f"{error}; the training goes on without a copy of this checkpoint")

    def _bring_up_to_date(self, folder: Path) -> None:
        now = _files(folder)
        for name, state in now.items():
            if self._kept.get(name) != state:
                object_store.upload(f"{folder}/{name}", f"{self._place}/{folder.name}/{name}")
                self._kept[name] = state
        for name in self._kept.keys() - now.keys():  # last, so that there is always a whole one
            object_store.remove(f"{self._place}/{folder.name}/{name}")
            del self._kept[name]

    def forget(self) -> None:
        """The training is over, and its model delivered."""
        object_store.remove(self._place)


def _files(folder: Path) -> dict[str, _State]:
    found = [file for file in sorted(folder.rglob("*")) if file.is_file() and file.suffix != ".part"]
    return {str(file.relative_to(folder)): (file.stat().st_size, file.stat().st_mtime_ns) for file in found}
