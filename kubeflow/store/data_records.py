"""DataRecords: which data earlier runs have read, for a later one to compare with, and to learn from too.

RECORDS/<source>/<statistics>.json      one a data set: its span, when it was first seen, where it lies
"""

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from efficientmixnet.kubeflow.store import object_store


@dataclass(frozen=True)
class DataSet:
    """What a run has read."""

    source: str
    span: int  # 0 without spans
    version: int
    examples: str  # where they lie
    statistics: str  # likewise
    seen: float = 0.0  # seconds since 1970


@dataclass(frozen=True)
class History:
    """The data that a run reads now, among all that was read of its source."""

    now: DataSet
    known: Sequence[DataSet]

    def statistics_before(self) -> str | None:
        """The latest from before now, if there are any.

        Of spans those of an earlier one, as on one machine (components/resolvers/previous_statistics.py).
        """
        now = self.now
        before = [one for one in self.known if one.seen < now.seen and (one.span < now.span or not now.span)]
        latest = max(before, key=lambda one: (one.span, one.seen), default=None)
        return latest.statistics if latest else None

    def examples_before(self, count: int) -> list[str]:
        """Those of so many spans before the present one, the latest span first.

        The highest version of each, and of that the records read last (see components/resolvers/latest_spans.py).
        """
        ascending = sorted(self.known, key=lambda one: (one.version, one.seen))
        latest = {one.span: one.examples for one in ascending if one.span < self.now.span}
        return [latest[span] for span in sorted(latest, reverse=True)[:count]]


@dataclass(frozen=True)
class DataRecords:
    """The folder, in an object store or on a volume."""

    folder: str

    def note(self, data: DataSet) -> History:
        """Notes the data, unless that was done before."""
        folder = f"{self.folder}/{_digest(data.source)}"
        mine = f"{_digest(data.statistics)}.json"
        known = {
            file.name: DataSet(**json.loads(object_store.read_text(f"{folder}/{file.name}")))
            for file in object_store.files(folder)
        }
        if mine not in known:
            known[mine] = replace(data, seen=time.time())
            object_store.write_text(f"{folder}/{mine}", json.dumps(asdict(known[mine])))
        return History(known[mine], list(known.values()))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
