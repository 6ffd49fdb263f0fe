"""DataRecords: which data earlier runs have read, so that a later one can be compared with what came before.

RECORDS/<source>/<statistics>.json      one a data set: its span, when it was first seen, where its statistics lie
"""

import hashlib
import json
import time
from dataclasses import dataclass

from efficientmixnet.kubeflow import object_store


@dataclass(frozen=True)
class DataRecords:
    """The folder, in an object store or on a volume."""

    folder: str

    def statistics_before(self, source: str, span: int, statistics: str) -> str | None:
        """Notes the data, unless that was done before; returns the latest statistics from before it, if there are any.

        Of spans those of an earlier one, as on one machine (components/previous_statistics.py).
        """
        folder = f"{self.folder}/{_digest(source)}"
        mine = f"{_digest(statistics)}.json"
        known = {
            file.name: json.loads(object_store.read_text(f"{folder}/{file.name}"))
            for file in object_store.files(folder)
        }
        if mine not in known:
            known[mine] = {"source": source, "span": span, "seen": time.time(), "statistics": statistics}
            object_store.write_text(f"{folder}/{mine}", json.dumps(known[mine]))
        before = [
            one for one in known.values() if one["seen"] < known[mine]["seen"] and (one["span"] < span or not span)
        ]
        latest = max(before, key=lambda one: (one["span"], one["seen"]), default=None)
        return latest and str(latest["statistics"])


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
