"""DataBefore and LatestSpans find earlier spans and merge their examples with the present ones."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from efficientmixnet.kubeflow.store import object_store
from efficientmixnet.kubeflow.tasks import data_before, latest_spans
from efficientmixnet.kubeflow.tasks.task import Artifact, Task
from efficientmixnet.modules.data.record_counts import RecordCounts, check_counts, read_counts
from efficientmixnet.modules.exceptions import BadInput

SHARD = "images-00000-of-00001.gz"


@pytest.fixture(params=["store", "volume"])
def place(request: pytest.FixtureRequest, store: str, tmp_path: Path) -> str:
    """The folder of all runs, in a store or on a volume."""
    return f"{store}/runs" if request.param == "store" else str(tmp_path / "runs")


def _examples(folder: str, span: int = 0, version: int = 0) -> Artifact:
    properties = {"split_names": '["train", "eval"]', "source": "days/{SPAN}", "span": span, "version": version}
    return Artifact(folder, properties)


def _ingest(place: str, name: str, span: int, version: int = 0) -> Artifact:
    """Writes the examples of a run: a shard of each split, one of an unused split, and a table."""
    for file in (f"Split-train/{SHARD}", f"Split-eval/{SHARD}", f"Split-old/{SHARD}", "left_out.csv"):
        object_store.write_text(f"{place}/{name}/{file}", f"{file.partition('/')[0]} of {name}")
    return _examples(f"{place}/{name}", span, version)


def _earlier(examples: Artifact, place: str, spans: int) -> str:
    statistics = Artifact(f"{examples.uri}-statistics")
    task = Task({"examples": examples, "statistics": statistics}, {}, {"records": f"{place}/data", "spans": spans})
    data_before.run(task)
    return task.values["earlier"]


def _merge(now: Artifact, folder: Path, earlier: str) -> Artifact:
    merged = Artifact(str(folder))
    latest_spans.run(Task({"now": now}, {"examples": merged}, {"earlier": earlier}))
    return merged


def test_the_shards_of_all_spans_are_merged_under_different_names(place: str, tmp_path: Path) -> None:
    for name, span, version in (("first", 1, 0), ("second-2", 2, 2), ("second-1", 2, 1)):
        _earlier(_ingest(place, name, span, version), place, spans=3)
    now = _ingest(str(tmp_path), "third", 3)  # in the container, where the launcher copied it
    earlier = _earlier(now, place, spans=3)
    assert json.loads(earlier) == [f"{place}/second-2", f"{place}/first"]

    merged = _merge(now, tmp_path / "merged", earlier)
    found = {str(file.relative_to(merged.uri)): file.read_text() for file in Path(merged.uri).rglob("*.*")}
    assert found == {
        f"Split-{split}/{age}-{SHARD}": f"Split-{split} of {name}"
        for split in ("train", "eval")
        for age, name in enumerate(("third", "second-2", "first"))
    }
    assert merged.properties == {"split_names": '["train", "eval"]', "span": 3, "version": 0}


def test_the_first_span_is_used_alone(place: str, tmp_path: Path) -> None:
    now = _ingest(str(tmp_path), "first", 1)
    merged = _merge(now, tmp_path / "merged", _earlier(now, place, spans=3))
    assert sorted(file.name for file in Path(merged.uri).rglob("*.gz")) == [f"0-{SHARD}"] * 2


def test_a_missing_span_is_named(place: str, tmp_path: Path) -> None:
    first = _ingest(place, "first", 1)
    _earlier(first, place, spans=2)
    now = _ingest(str(tmp_path), "second", 2)
    earlier = _earlier(now, place, spans=2)
    object_store.remove(first.uri)
    with pytest.raises(BadInput, match=r"/runs/first: is missing, but an earlier run has recorded it; restore it, or"):
        _merge(now, tmp_path / "merged", earlier)


def test_a_span_without_a_split_is_named(place: str, tmp_path: Path) -> None:
    _earlier(_ingest(place, "first", 1), place, spans=2)
    now = _ingest(str(tmp_path), "second", 2)
    earlier = _earlier(now, place, spans=2)
    now.properties["split_names"] = '["train", "test"]'
    object_store.write_text(f"{now.uri}/Split-test/{SHARD}", "")
    with pytest.raises(BadInput, match=r"data\.splits: .*/runs/first has no Split-test; give the splits that it has"):
        _merge(now, tmp_path / "merged", earlier)


def test_the_sizes_of_all_spans_are_added_and_checked(place: str, tmp_path: Path) -> None:
    first, now = _ingest(place, "first", 1), _ingest(str(tmp_path), "second", 2)
    for examples, records in ((first, 3), (now, 4)):
        counts = {
            split: asdict(RecordCounts(1, len(f"Split-{split} of {examples.uri.rpartition('/')[2]}"), records))
            for split in ("train", "eval")
        }
        object_store.write_text(f"{examples.uri}/records.json", json.dumps(counts))
    _earlier(first, place, spans=2)
    earlier = _earlier(now, place, spans=2)
    merged = _merge(now, tmp_path / "merged", earlier)
    check_counts(merged.uri, ["train", "eval"])
    assert {split: (one.files, one.records) for split, one in read_counts(merged.uri).items()} == {
        "train": (2, 7),
        "eval": (2, 7),
    }

    object_store.write_text(f"{first.uri}/Split-train/{SHARD}", "shorter")
    with pytest.raises(BadInput, match=r"first/Split-train: files were deleted or changed"):
        _merge(now, tmp_path / "again", earlier)
