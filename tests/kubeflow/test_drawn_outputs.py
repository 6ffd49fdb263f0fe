"""What the page of a run draws is written as that page reads it, and the rehearsal checks it by the page's rules."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas
import pytest

from efficientmixnet.kubeflow.drawn_outputs import draw
from efficientmixnet.kubeflow.rehearsal.drawn_artifacts import drawn

CONTENT = {
    "metrics": [
        {"name": "accuracy", "value": 0.75},
        {"name": "loss", "value": 0.5},
        {"name": "macro_f1", "value": None},
    ],
    "images_evaluated": 4,
    "verdict": {"blessed": False},
    "classes": [{"label": "cat"}, {"label": "dog"}],
    "confusion": [[1, 1], [0, 2]],
}
TYPES = {
    "page": "system.HTML",
    "metrics": "system.Metrics",
    "classes": "system.ClassificationMetrics",
}


@pytest.fixture
def report(tmp_path: Path) -> Path:
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "content.json").write_text(json.dumps(CONTENT))
    (tmp_path / "report" / "report.html").write_text("<html>")
    return tmp_path / "report"


def _draw(source: str, folder: Path, *names: str) -> dict[str, Any]:
    outputs = {name: {"artifacts": [{"name": name, "uri": f"{folder.parent}/out/{name}"}]} for name in names}
    found = draw({"artifacts": outputs}, {"artifacts": {source: {"artifacts": [{"uri": str(folder)}]}}})
    return {name: one["artifacts"][0] for name, one in found.items()}


def test_the_metrics_and_the_page_of_a_report_are_written(report: Path) -> None:
    found = _draw("report", report, "page", "metrics", "other")
    assert set(found) == {"page", "metrics"}
    assert found["metrics"]["metadata"] == {"accuracy": 0.75, "loss": 0.5, "images": 4, "blessed": 0}
    assert Path(found["page"]["uri"]).read_text() == "<html>"


def test_two_classes_get_a_confusion_matrix_and_a_curve(report: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By hand: the dogs have 0.9 and 0.4, the cats 0.6 and 0.1, so the curve is (0,0) (0,.5) (.5,.5) (.5,1) (1,1)."""
    from efficientmixnet.components.report import predictions

    given = SimpleNamespace(probabilities=lambda _: (np.array([1, 1, 0, 0]), np.array([[0.9], [0.4], [0.6], [0.1]])))
    monkeypatch.setattr(predictions, "Predictions", lambda _: given)
    metadata = _draw("report", report, "classes")["classes"]["metadata"]
    assert metadata["confusionMatrix"] == {
        "annotationSpecs": [{"displayName": "cat"}, {"displayName": "dog"}],
        "rows": [{"row": [1, 1]}, {"row": [0, 2]}],
    }
    points = [(one["falsePositiveRate"], one["recall"]) for one in metadata["confidenceMetrics"]]
    assert points == [(0, 0), (0, 0.5), (0.5, 0.5), (0.5, 1), (1, 1)]
    assert [one["confidenceThreshold"] for one in metadata["confidenceMetrics"]] == [1.0, 0.9, 0.6, 0.4, 0.1]
    json.dumps(metadata, allow_nan=False)


def test_many_classes_get_no_confusion_matrix(report: Path) -> None:
    content = {**CONTENT, "classes": [{"label": str(number)} for number in range(51)], "confusion": [[0] * 51] * 51}
    (report / "content.json").write_text(json.dumps(content))
    assert _draw("report", report, "classes")["classes"]["metadata"] == {}


def test_the_statistics_are_drawn_as_a_page(tmp_path: Path) -> None:
    import tensorflow_data_validation as tfdv

    table = pandas.DataFrame({"image/class/text": ["<b>cat", "dog", "dog"], "image/width": [20, 30, 40]})
    found = tfdv.generate_statistics_from_dataframe(table, n_jobs=1)
    (tmp_path / "statistics" / "Split-train").mkdir(parents=True)
    (tmp_path / "statistics" / "Split-train" / "FeatureStats.pb").write_bytes(found.SerializeToString())
    page = Path(_draw("statistics", tmp_path / "statistics", "data_page")["data_page"]["uri"]).read_text()
    assert "image/width" in page
    assert "&lt;b&gt;cat" in page


class _Rehearsal:
    """A rehearsal that has written these artifacts."""

    def __init__(self, folder: Path, **metadata: dict[str, Any]) -> None:
        self._folder, self._metadata = folder, metadata

    def declared_artifacts(self) -> Any:
        return [("Report", name, TYPES.get(name, "")) for name in self._metadata]

    def artifact(self, _: str, name: str) -> dict[str, Any]:
        return {"uri": name, "metadata": {"display_name": name, "store_session_info": "{}", **self._metadata[name]}}

    def stored(self, uri: str) -> str:
        return f"{self._folder}/{uri}"


def test_the_rehearsal_says_what_the_page_would_draw(tmp_path: Path) -> None:
    (tmp_path / "page").write_text("<html>")
    matrix = {"annotationSpecs": [{"displayName": "cat"}], "rows": [{"row": [1]}]}
    rehearsal: Any = _Rehearsal(
        tmp_path, page={}, metrics={"accuracy": 1.0}, classes={"confusionMatrix": matrix}, model={}
    )
    assert list(drawn(rehearsal)) == [
        "drawn: Report.page (system.HTML)",
        "drawn: Report.metrics (system.Metrics)",
        "drawn: Report.classes (system.ClassificationMetrics)",
    ]


@pytest.mark.parametrize(
    ("classes", "problem"),
    [
        ({}, "it has neither confusionMatrix nor confidenceMetrics"),
        (
            {"confusionMatrix": {"annotationSpecs": [{"displayName": "cat"}], "rows": [{"row": [1, 0]}]}},
            "confusionMatrix is not square, or does not have a name for each of its 1 rows",
        ),
        ({"confidenceMetrics": [{"recall": 1.0}]}, "confidenceMetrics: a point does not have the numbers confidence"),
    ],
)
def test_the_rehearsal_says_what_the_page_would_not_draw(tmp_path: Path, classes: Any, problem: str) -> None:
    rehearsal: Any = _Rehearsal(tmp_path, page={}, metrics={}, classes=classes)
    page, metrics, last = drawn(rehearsal)
    assert page == "not drawn: Report.page: it has no file, or an empty one"
    assert metrics == "not drawn: Report.metrics: it has no metrics"
    assert last.startswith(f"not drawn: Report.classes: {problem}")


def test_a_label_from_outside_stays_text_in_the_metadata(report: Path) -> None:
    content = {
        **CONTENT,
        "classes": [{"label": "<script>"}, {"label": "b"}, {"label": "c"}],
        "confusion": [[1] * 3] * 3,
    }
    (report / "content.json").write_text(json.dumps(content))
    specs = _draw("report", report, "classes")["classes"]["metadata"]["confusionMatrix"]["annotationSpecs"]
    assert specs[0] == {"displayName": "<script>"}
