"""PushedModels: the folder of pushed models, with one record for each push.

PUSHED/1795328785/saved_model.pb ...    a version, as TensorFlow Serving expects it
PUSHED/records/1795328785.json          the candidate that was pushed; written last, so it marks a complete version
"""

import json
import time
from dataclasses import dataclass

from efficientmixnet.kubeflow.store import object_store
from efficientmixnet.modules.exported_model import SAVED_MODEL


@dataclass(frozen=True)
class PushedModels:
    """The pushed models in a folder of an object store or a volume."""

    folder: str

    def latest_before(self, candidate: str | None) -> str | None:
        """Returns the folder of the newest version, or None.

        Args:
            candidate: The URI of the model to evaluate. If it has been pushed, only older versions count: a candidate
                from the cache must not be compared with itself.
        """
        records = f"{self.folder}/records"
        latest = None
        for file in sorted(object_store.files(records), key=lambda file: int(file.name.removesuffix(".json"))):
            if json.loads(object_store.read_text(f"{records}/{file.name}"))["candidate"] == candidate:
                break
            latest = f"{self.folder}/{file.name.removesuffix('.json')}"
        return latest

    def push(self, saved_model: str, candidate: str) -> str:
        """Copies the model into the folder.

        Args:
            saved_model: A local SavedModel folder.
            candidate: The URI of the Model artifact, for the record.

        Returns:
            The new version: the time in seconds since 1970.
        """
        taken = {int(file.name.removesuffix(".json")) for file in object_store.files(f"{self.folder}/records")}
        version = str(max({int(time.time()), *(number + 1 for number in taken)}))
        # Model servers load a version as soon as this file exists.
        object_store.upload(saved_model, f"{self.folder}/{version}", last=SAVED_MODEL)
        object_store.write_text(f"{self.folder}/records/{version}.json", json.dumps({"candidate": candidate}))
        return version
