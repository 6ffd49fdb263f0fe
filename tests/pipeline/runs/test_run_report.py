"""Tests that the report shows the final state of the run, which the component Report does not know."""

import json

import pytest

from efficientmixnet.components.report import page
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.pipeline.runs.run_report import write_report
from efficientmixnet.pipeline.runs.run_summary import Summary


@pytest.mark.parametrize(
    ("state", "reason"), [("pushed", "accuracy 0.9 reaches 0.5"), ("not_blessed", "TensorFlow Serving did not load it")]
)
def test_the_report_shows_the_final_state_of_the_run(tmp_path, monkeypatch, state, reason):
    content = {"verdict": {"blessed": True, "reason": "accuracy 0.9 reaches 0.5", "metrics": {}}}
    content |= {"config": {}, "curves": {}, "metrics": []}
    (tmp_path / "content.json").write_text(json.dumps(content), encoding="utf-8")
    monkeypatch.setattr(page, "render", lambda content, *_: json.dumps(content["verdict"]))
    facts = {"run": str(tmp_path), "evaluated": str(tmp_path), "started": "2026-01-02T03:04:05+00:00"}
    written = write_report(Summary(state=state, blessed=state == "pushed", reason=reason, **facts))
    verdict = json.loads(written.read_text(encoding="utf-8"))
    assert verdict == {"blessed": state == "pushed", "reason": reason, "metrics": {}}


def test_the_report_links_the_inspection_page_and_the_relabel_list_lies_beside_it(tmp_path, monkeypatch):
    row = ["cat/1.jpg", "cat", "=dog", 0.9, "confident mistake"]
    content = {"verdict": {}, "config": {}, "curves": {}, "metrics": [], "relabel": [row]}
    (tmp_path / "content.json").write_text(json.dumps(content), encoding="utf-8")
    monkeypatch.setattr(page, "render", lambda content, run, inspection: str(inspection))
    facts = {"run": str(tmp_path), "evaluated": str(tmp_path), "started": "2026-01-02T03:04:05+00:00"}
    summary = Summary(state="pushed", blessed=True, reason="", **facts)
    assert write_report(summary).read_text() == "None"
    (tmp_path / "inspection.html").touch()
    assert write_report(summary).read_text() == "inspection.html"
    assert (tmp_path / "relabel.csv").read_text().splitlines() == [
        '"path","label","predicted","probability","reason"',
        '"cat/1.jpg","cat","\'=dog",0.9,"confident mistake"',
    ]


@pytest.mark.parametrize("corrected", ['"path","label"\n"cat/1.jpg","dog"\n', '"path";"label"\n"Käfer/1.jpg";"dog"\n'])
def test_a_corrected_relabel_list_stays_as_it_is(tmp_path, monkeypatch, capsys, corrected):
    row = ["cat/1.jpg", "cat", "dog", 0.9, "confident mistake"]
    content = {"verdict": {}, "config": {}, "curves": {}, "metrics": [], "relabel": [row]}
    (tmp_path / "content.json").write_text(json.dumps(content), encoding="utf-8")
    monkeypatch.setattr(page, "render", lambda *_: "page")
    facts = {"run": str(tmp_path), "evaluated": str(tmp_path), "started": "2026-01-02T03:04:05+00:00"}
    summary = Summary(state="pushed", blessed=True, reason="", **facts)
    write_report(summary)
    write_report(summary)
    assert capsys.readouterr().err == ""
    file = tmp_path / "relabel.csv"
    file.write_bytes(corrected.encode("latin-1"))  # as a spreadsheet may save it
    (tmp_path / "report.html").unlink()
    assert write_report(summary).read_text() == "page"
    assert file.read_bytes() == corrected.encode("latin-1")
    assert capsys.readouterr().err.startswith(f"{file}: was changed, so it stays as it is")
    file.unlink()
    write_report(summary)
    assert "confident mistake" in file.read_text()


@pytest.mark.parametrize(
    ("written", "why"),
    [
        (b"\xff", "it is not UTF-8"),
        (b'{"config": {', "it is not JSON"),
        (b"{}", "it has no 'config'"),
        (b'{"config": {}, "curves": {}, "metrics": [], "verdict": {}}', "it has no 'reliability'"),
        (b'{"config": {}, "curves": {}, "metrics": [], "verdict": {}, "reliability": 7}', "TypeError"),
    ],
)
def test_damaged_data_of_a_report_is_named_with_the_cure(tmp_path, written, why):
    (tmp_path / "content.json").write_bytes(written)
    facts = {"run": str(tmp_path), "evaluated": str(tmp_path), "started": "2026-01-02T03:04:05+00:00"}
    with pytest.raises(BadInput) as raised:
        write_report(Summary(state="pushed", blessed=True, reason="", **facts))
    assert str(raised.value).startswith(f"{tmp_path}/content.json: is damaged ({why}")
    assert str(raised.value).endswith(f"delete {tmp_path} and run the pipeline again")
    assert not (tmp_path / "report.html").exists()
