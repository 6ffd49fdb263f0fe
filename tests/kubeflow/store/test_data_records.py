"""The previous data is an earlier span, or without spans the data of an earlier run."""

from pathlib import Path

import pytest

from efficientmixnet.kubeflow.store.data_records import DataRecords, DataSet, History


def _note(records: DataRecords, source: str, span: int, place: str, version: int = 0) -> History:
    return records.note(DataSet(source, span, version, examples=f"{place}/examples", statistics=f"{place}/statistics"))


def _before(records: DataRecords, source: str, span: int, place: str) -> str | None:
    found = _note(records, source, span, place).statistics_before()
    return found and found.removesuffix("/statistics")


@pytest.mark.parametrize("place", ["store", "volume"])
def test_a_span_is_compared_with_the_latest_earlier_span(store: str, tmp_path: Path, place: str) -> None:
    records = DataRecords(f"{store}/data" if place == "store" else str(tmp_path / "data"))
    assert _before(records, "days/{SPAN}", 2, "s3://b/of-2") is None
    assert _before(records, "days/{SPAN}", 3, "s3://b/of-3") == "s3://b/of-2"
    assert _before(records, "days/{SPAN}", 3, "s3://b/of-3-changed") == "s3://b/of-2"
    assert _before(records, "days/{SPAN}", 4, "s3://b/of-4") == "s3://b/of-3-changed"
    assert _before(records, "days/{SPAN}", 3, "s3://b/of-3") == "s3://b/of-2"  # the same run again
    assert _before(records, "days/{SPAN}", 1, "s3://b/of-1") is None  # though later spans were read before it
    assert _before(records, "other/{SPAN}", 9, "s3://b/other") is None


def test_without_spans_data_is_compared_with_the_run_before(tmp_path: Path) -> None:
    records = DataRecords(str(tmp_path))
    assert _before(records, "flowers", 0, "/first") is None
    assert _before(records, "flowers", 0, "/first") is None  # the same data, from the cache
    assert _before(records, "flowers", 0, "/second") == "/first"
    assert _before(records, "flowers", 0, "/third") == "/second"
    assert _before(records, "flowers", 0, "/second") == "/first"


@pytest.mark.parametrize("place", ["store", "volume"])
def test_training_uses_the_latest_version_of_each_earlier_span(store: str, tmp_path: Path, place: str) -> None:
    """LatestSpans chooses the same on one machine (tests/components/resolvers/test_latest_spans.py)."""
    records = DataRecords(f"{store}/data" if place == "store" else str(tmp_path / "data"))
    for name, span, version in (
        ("/1", 1, 0), ("/2v2", 2, 2), ("/2v1", 2, 1), ("/3", 3, 0), ("/3-changed", 3, 0), ("/5", 5, 0),
    ):  # fmt: skip
        _note(records, "days/{SPAN}", span, name, version)
    _note(records, "nights/{SPAN}", 3, "/night")
    history = _note(records, "days/{SPAN}", 4, "/4")
    assert history.examples_before(0) == []
    assert history.examples_before(2) == ["/3-changed/examples", "/2v2/examples"]
    assert history.examples_before(8) == ["/3-changed/examples", "/2v2/examples", "/1/examples"]
    assert _note(records, "days/{SPAN}", 4, "/4").examples_before(1) == ["/3-changed/examples"]
