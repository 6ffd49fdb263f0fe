"""Tests that the report shows the final state of the run, which the component Report does not know."""

import json

import pytest

from efficientmixnet.components.report import page
from efficientmixnet.pipeline.runs.run_report import write_report
from efficientmixnet.pipeline.runs.run_summary import Summary


@pytest.mark.parametrize(
    ("state", "reason"), [("pushed", "accuracy 0.9 reaches 0.5"), ("not_blessed", "TensorFlow Serving did not load it")]
)
def test_the_report_shows_the_final_state_of_the_run(tmp_path, monkeypatch, state, reason):
    content = {"verdict": {"blessed": True, "reason": "accuracy 0.9 reaches 0.5", "metrics": {}}}
    (tmp_path / "content.json").write_text(json.dumps(content), encoding="utf-8")
    monkeypatch.setattr(page, "render", lambda content, run: json.dumps(content["verdict"]))
    facts = {"run": str(tmp_path), "evaluated": str(tmp_path), "started": "2026-01-02T03:04:05+00:00"}
    written = write_report(Summary(state=state, blessed=state == "pushed", reason=reason, **facts))
    verdict = json.loads(written.read_text(encoding="utf-8"))
    assert verdict == {"blessed": state == "pushed", "reason": reason, "metrics": {}}
