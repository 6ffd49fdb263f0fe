"""PushedModels: the folder of pushed models, with one record for each push.

PUSHED/1795328785/saved_model.pb ...    a version, as TensorFlow Serving expects it
PUSHED/records/1795328785.json          the candidate that was pushed; written last, so it marks a complete version
PUSHED/pushing/1795328785               a version that is being pushed to an object store

On a volume, a version is renamed when it is complete. An object store cannot rename a folder: there saved_model.pb,
without which no server loads a version, is copied after the other files have been checked.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from efficientmixnet.components import pushed_folder
from efficientmixnet.kubeflow.store import object_store
from efficientmixnet.modules.exported_model import SAVED_MODEL, is_version
from efficientmixnet.modules.files.stored_file import damage_named

_ABANDONED = 3600  # seconds after which a push has been interrupted; another run may be pushing until then


@dataclass(frozen=True)
class PushedModels:
    """The pushed models in a folder of an object store or a volume."""

    folder: str

    def latest_before(self, candidate: str | None) -> str | None:
        """Returns the folder of the newest version, or None.

        Args:
            candidate: The URI of the model to evaluate. If it has been pushed, only older versions count: a candidate
                from the cache must not be compared with itself.

        Raises:
            BadInput: A record is damaged.
        """
        latest = None
        for version in self._numbers("records", lambda name: name.removesuffix(".json")):
            if self._candidate(version) == candidate:
                break
            latest = f"{self.folder}/{version}"
        return latest

    def push(self, saved_model: str, candidate: str) -> str:
        """Copies the model into the folder, unless it is there.

        Args:
            saved_model: A local SavedModel folder.
            candidate: The URI of the Model artifact, for the record.

        Returns:
            The version: the time of the push in seconds since 1970.

        Raises:
            BadInput: A record is damaged.
            OSError: The copy is not complete.
        """
        known = self._numbers("records", lambda name: name.removesuffix(".json"))
        for version in reversed(known):
            if self._candidate(version) == candidate and self._is_complete(version):
                return str(version)
        if "://" in self.folder:
            version = self._push_to_store(Path(saved_model), known)
        else:
            version = int(pushed_folder.push(Path(saved_model), Path(self.folder), known).name)
        object_store.write_text(self._record(version), json.dumps({"candidate": candidate}))
        object_store.remove(f"{self.folder}/pushing/{version}")
        return str(version)

    def _push_to_store(self, saved_model: Path, known: list[int]) -> int:
        now = int(time.time())
        for version in self._numbers("pushing"):
            if now - version > _ABANDONED and version not in known:
                object_store.remove(f"{self.folder}/{version}")
                object_store.remove(f"{self.folder}/pushing/{version}")
        taken = [*known, *self._numbers("pushing")]  # another run may be pushing
        version = max([now, *(number + 1 for number in taken)])
        place = f"{self.folder}/{version}"
        object_store.write_text(f"{self.folder}/pushing/{version}", "")
        object_store.upload(str(saved_model), place, without=SAVED_MODEL)
        expected = pushed_folder.sizes(saved_model)
        del expected[SAVED_MODEL]
        pushed_folder.check_copy(expected, {file.name: file.size for file in object_store.files(place)}, place)
        object_store.upload(str(saved_model / SAVED_MODEL), f"{place}/{SAVED_MODEL}")
        return version

    def _is_complete(self, version: int) -> bool:
        return any(file.name == SAVED_MODEL for file in object_store.files(f"{self.folder}/{version}"))

    def _numbers(self, folder: str, number: Callable[[str], str] = str) -> list[int]:
        """The versions that have a file in this folder, oldest first."""
        names = [number(file.name) for file in object_store.files(f"{self.folder}/{folder}")]
        return sorted(int(name) for name in names if is_version(name))

    def _candidate(self, version: int) -> str:
        record = self._record(version)
        with damage_named(record, "restore it, or delete it with its version"):
            return str(json.loads(object_store.read_text(record))["candidate"])

    def _record(self, version: int) -> str:
        return f"{self.folder}/records/{version}.json"
