"""Which data came before: of spans an earlier one, else what an earlier run has read; the same at every look."""

from pathlib import Path

import pytest

from efficientmixnet.kubeflow.data_records import DataRecords


@pytest.mark.parametrize("place", ["store", "volume"])
def test_a_span_is_compared_with_the_latest_before_it(store: str, tmp_path: Path, place: str) -> None:
    records = DataRecords(f"{store}/data" if place == "store" else str(tmp_path / "data"))
    assert records.statistics_before("days/{SPAN}", 2, "s3://b/of-2") is None
    assert records.statistics_before("days/{SPAN}", 3, "s3://b/of-3") == "s3://b/of-2"
    assert records.statistics_before("days/{SPAN}", 3, "s3://b/of-3-changed") == "s3://b/of-2"
    assert records.statistics_before("days/{SPAN}", 4, "s3://b/of-4") == "s3://b/of-3-changed"
    assert records.statistics_before("days/{SPAN}", 3, "s3://b/of-3") == "s3://b/of-2"  # a run that is done again
    assert records.statistics_before("days/{SPAN}", 1, "s3://b/of-1") is None  # though the later ones came before it
    assert records.statistics_before("other/{SPAN}", 9, "s3://b/other") is None


def test_without_spans_the_data_of_the_run_before_counts(tmp_path: Path) -> None:
    records = DataRecords(str(tmp_path))
    assert records.statistics_before("flowers", 0, "/first") is None
    assert records.statistics_before("flowers", 0, "/first") is None  # the same data, from the cache
    assert records.statistics_before("flowers", 0, "/second") == "/first"
    assert records.statistics_before("flowers", 0, "/third") == "/second"
    assert records.statistics_before("flowers", 0, "/second") == "/first"
