"""The two components that find and fetch earlier spans: their images and the present ones become one artifact."""

import json
from pathlib import Path

import pytest
from tfx.components.util import examples_utils
from tfx.types import standard_artifacts

from efficientmixnet.kubeflow.components.data_before import DataBefore_Executor
from efficientmixnet.kubeflow.components.latest_spans import LatestSpans_Executor
from efficientmixnet.kubeflow.store import object_store
from efficientmixnet.modules.exceptions import BadInput

SHARD = "images-00000-of-00001.gz"


@pytest.fixture(params=["store", "volume"])
def place(request: pytest.FixtureRequest, store: str, tmp_path: Path) -> str:
    """Where runs keep what they make."""
    return f"{store}/runs" if request.param == "store" else str(tmp_path / "runs")


def _examples(folder: str, span: int = 0, version: int = 0) -> standard_artifacts.Examples:
    examples = standard_artifacts.Examples()
    examples.uri, examples.span, examples.version = folder, span, version
    examples.split_names = '["train", "eval"]'
    examples.set_string_custom_property("source", "days/{SPAN}")
    return examples


def _ingest(place: str, name: str, span: int, version: int = 0) -> standard_artifacts.Examples:
    """What a run has read: a shard of each split, an old split's, and a table beside them."""
    for file in (f"Split-train/{SHARD}", f"Split-eval/{SHARD}", f"Split-old/{SHARD}", "left_out.csv"):
        object_store.write_text(f"{place}/{name}/{file}", f"{file.partition('/')[0]} of {name}")
    return _examples(f"{place}/{name}", span, version)


def _earlier(examples: standard_artifacts.Examples, place: str, tmp_path: Path, spans: int) -> str:
    statistics, before = standard_artifacts.ExampleStatistics(), standard_artifacts.String()
    earlier = standard_artifacts.String()
    statistics.uri, before.uri, earlier.uri = f"{examples.uri}-statistics", f"{tmp_path}/before", f"{tmp_path}/earlier"
    DataBefore_Executor._FUNCTION(
        examples=examples, statistics=statistics, before=before, earlier=earlier, records=f"{place}/data", spans=spans
    )
    return earlier.read()


def test_the_shards_of_all_spans_lie_together_each_under_a_name_of_its_own(place: str, tmp_path: Path) -> None:
    for name, span, version in (("first", 1, 0), ("second-2", 2, 2), ("second-1", 2, 1)):
        _earlier(_ingest(place, name, span, version), place, tmp_path, spans=3)
    now = _ingest(str(tmp_path), "third", 3)  # the launcher has put it into the container
    earlier = _earlier(now, place, tmp_path, spans=3)
    assert json.loads(earlier) == [f"{place}/second-2", f"{place}/first"]

    merged = _examples(str(tmp_path / "merged"))
    LatestSpans_Executor._FUNCTION(now=now, examples=merged, earlier=earlier)
    found = {str(file.relative_to(merged.uri)): file.read_text() for file in Path(merged.uri).rglob("*.*")}
    assert found == {
        f"Split-{split}/{age}-{SHARD}": f"Split-{split} of {name}"
        for split in ("train", "eval")
        for age, name in enumerate(("third", "second-2", "first"))
    }
    assert (merged.split_names, merged.span, merged.version) == ('["train", "eval"]', 3, 0)
    for of in (examples_utils.get_payload_format, examples_utils.get_file_format):
        assert of(merged) == of(now)


def test_the_first_span_is_alone(place: str, tmp_path: Path) -> None:
    now, merged = _ingest(str(tmp_path), "first", 1), _examples(str(tmp_path / "merged"))
    LatestSpans_Executor._FUNCTION(now=now, examples=merged, earlier=_earlier(now, place, tmp_path, spans=3))
    assert sorted(file.name for file in Path(merged.uri).rglob("*.gz")) == [f"0-{SHARD}"] * 2


def test_a_span_whose_images_are_gone_is_named(place: str, tmp_path: Path) -> None:
    first = _ingest(place, "first", 1)
    _earlier(first, place, tmp_path, spans=2)
    now = _ingest(str(tmp_path), "second", 2)
    earlier = _earlier(now, place, tmp_path, spans=2)
    object_store.remove(first.uri)
    with pytest.raises(BadInput, match=r"/runs/first: is gone, though an earlier run has noted it; put it back, or"):
        LatestSpans_Executor._FUNCTION(now=now, examples=_examples(str(tmp_path / "merged")), earlier=earlier)


def test_a_span_that_lacks_a_split_is_named(place: str, tmp_path: Path) -> None:
    _earlier(_ingest(place, "first", 1), place, tmp_path, spans=2)
    now = _ingest(str(tmp_path), "second", 2)
    earlier = _earlier(now, place, tmp_path, spans=2)
    now.split_names = '["train", "test"]'
    object_store.write_text(f"{now.uri}/Split-test/{SHARD}", "")
    with pytest.raises(BadInput, match=r"data\.splits: .*/runs/first has no Split-test; name the splits that it has"):
        LatestSpans_Executor._FUNCTION(now=now, examples=_examples(str(tmp_path / "merged")), earlier=earlier)
