"""DataBefore finds the statistics of the previous data, and PreviousStatistics fetches them."""

from pathlib import Path

from tfx.types import standard_artifacts

from efficientmixnet.kubeflow.components.data_before import DataBefore_Executor
from efficientmixnet.kubeflow.components.previous_statistics import PreviousStatistics_Executor
from efficientmixnet.kubeflow.executor import ABSENT


def _statistics(folder: Path) -> standard_artifacts.ExampleStatistics:
    statistics = standard_artifacts.ExampleStatistics()
    statistics.uri, statistics.split_names = str(folder), '["train", "eval"]'
    (folder / "Split-train").mkdir(parents=True)
    (folder / "Split-train" / "FeatureStats.pb").write_text(folder.name)
    return statistics


def _before(tmp_path: Path, span: int, statistics: standard_artifacts.ExampleStatistics) -> str:
    examples, before, earlier = standard_artifacts.Examples(), standard_artifacts.String(), standard_artifacts.String()
    examples.span, before.uri, earlier.uri = span, str(tmp_path / "before"), str(tmp_path / "earlier")
    examples.set_string_custom_property("source", "days/{SPAN}")
    DataBefore_Executor._FUNCTION(
        examples=examples,
        statistics=statistics,
        before=before,
        earlier=earlier,
        records=str(tmp_path / "records"),
        spans=1,
    )
    assert earlier.read() == "[]"
    return before.read()


def test_the_statistics_of_the_span_before_are_fetched_or_marked_as_absent(tmp_path: Path) -> None:
    first, second = _statistics(tmp_path / "first"), _statistics(tmp_path / "second")
    nothing, previous = standard_artifacts.ExampleStatistics(), standard_artifacts.ExampleStatistics()
    nothing.uri, previous.uri = str(tmp_path / "nothing"), str(tmp_path / "previous")
    PreviousStatistics_Executor._FUNCTION(now=first, previous=nothing, before=_before(tmp_path, 1, first))
    assert nothing.get_int_custom_property(ABSENT) == 1
    PreviousStatistics_Executor._FUNCTION(now=second, previous=previous, before=_before(tmp_path, 2, second))
    assert (tmp_path / "previous" / "Split-train" / "FeatureStats.pb").read_text() == "first"
    assert previous.split_names == '["train", "eval"]'
