"""PushedModels: the folder of pushed models, with a record a push that says which candidate it was.

PUSHED/1795328785/saved_model.pb ...    a version, as TensorFlow Serving expects it
PUSHED/records/1795328785.json          written last: a version without its record is not complete
"""

import json
import time
from dataclasses import dataclass

from efficientmixnet.kubeflow.store import object_store
from efficientmixnet.modules.exported_model import SAVED_MODEL


@dataclass(frozen=True)
class PushedModels:
    """The folder, in an object store or on a volume."""

    folder: str

    def latest_before(self, candidate: str | None) -> str | None:
        """The newest version's folder; of versions from before the candidate, if there is one that has been pushed.

        A candidate from the cache may itself be the newest version; compared with itself, its evaluation would never
        come from the cache.
        """
        records = f"{self.folder}/records"
        latest = None
        for file in sorted(object_store.files(records), key=lambda file: int(file.name.removesuffix(".json"))):
            if json.loads(object_store.read_text(f"{records}/{file.name}"))["candidate"] == candidate:
                break
            latest = f"{self.folder}/{file.name.removesuffix('.json')}"
        return latest

    def push(self, saved_model: str, candidate: str) -> str:
        """Copies the model; returns its version, the seconds since 1970."""
        taken = {int(file.name.removesuffix(".json")) for file in object_store.files(f"{self.folder}/records")}
        version = str(max({int(time.time()), *(number + 1 for number in taken)}))
        # Model servers take a folder for complete once this file is there.
        object_store.upload(saved_model, f"{self.folder}/{version}", last=SAVED_MODEL)
        object_store.write_text(f"{self.folder}/records/{version}.json", json.dumps({"candidate": candidate}))
        return version
