"""DataRecords: a folder with one record of each dataset that a run has read.

Later runs compare their data with it (data.drift) and train on earlier spans (data.training_spans).

RECORDS/<source>/<statistics>.json      a dataset: its span, when a run first read it, and where its artifacts are
"""

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from efficientmixnet.kubeflow.store import object_store
from efficientmixnet.modules.files.stored_file import damage_named


@dataclass(frozen=True)
class DataSet:
    """The data that a run has read.

    Args:
        source: The images' location, with span placeholders such as {SPAN}.
        span: The span's number; 0 without spans.
        version: The span's version.
        examples: The URI of the examples.
        statistics: The URI of their statistics.
        seen: When a run first read the data, in seconds since 1970.
    """

    source: str
    span: int
    version: int
    examples: str
    statistics: str
    seen: float = 0.0


@dataclass(frozen=True)
class History:
    """The data that a run reads now, and all known data from the same source."""

    now: DataSet
    known: Sequence[DataSet]

    def statistics_before(self) -> str | None:
        """Returns the URI of the latest earlier statistics, or None.

        With spans, they belong to an earlier span, as on one machine (components/resolvers/previous_statistics.py).
        """
        now = self.now
        before = [one for one in self.known if one.seen < now.seen and (one.span < now.span or not now.span)]
        latest = max(before, key=lambda one: (one.span, one.seen), default=None)
        return latest.statistics if latest else None

    def examples_before(self, count: int) -> list[str]:
        """Returns the URIs of the examples of up to `count` earlier spans, the latest span first.

        From each span it takes the highest version, and of that version the examples that were read last, as on one
        machine (components/resolvers/latest_spans.py).
        """
        ascending = sorted(self.known, key=lambda one: (one.version, one.seen))
        latest = {one.span: one.examples for one in ascending if one.span < self.now.span}
        return [latest[span] for span in sorted(latest, reverse=True)[:count]]


@dataclass(frozen=True)
class DataRecords:
    """The records in a folder of an object store or a volume."""

    folder: str

    def note(self, data: DataSet) -> History:
        """Writes a record of the data unless there is one, and returns all records of its source.

        Raises:
            BadInput: A record is damaged.
        """
        folder = f"{self.folder}/{_digest(data.source)}"
        mine = f"{_digest(data.statistics)}.json"
        known = {file.name: _read(f"{folder}/{file.name}") for file in object_store.files(folder)}
        if mine not in known:
            known[mine] = replace(data, seen=time.time())
            object_store.write_text(f"{folder}/{mine}", json.dumps(asdict(known[mine])))
        return History(known[mine], list(known.values()))


def _read(record: str) -> DataSet:
    with damage_named(record, "delete it"):
        return DataSet(**json.loads(object_store.read_text(record)))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
