"""Tests of the comparison of runs: McNemar's exact test, the differences of configurations, and the page."""

import json
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy.stats import binom

from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.pipeline.runs import compare as comparing
from efficientmixnet.pipeline.runs.compare import (
    Run,
    against_first,
    compare,
    differences,
    mcnemar,
    read_run,
    write_comparison,
)
from efficientmixnet.pipeline.runs.run_summary import Summary
from efficientmixnet.pipeline.terminal import PlainConsole


def _run(name: str, right: dict[str, bool], config: dict, accuracy: float = 0.5) -> Run:
    summary = Summary(state="pushed", reason="", run=f"/runs/{name}", started="2020-01-02T03:04:05+00:00")
    interval = {"value": accuracy, "low": accuracy - 0.1, "high": accuracy + 0.1}
    content = {
        "classes": [{"label": "cat"}, {"label": "dog"}],
        "config": config,
        "metrics": [{"name": "accuracy", **interval}, {"name": "loss", "value": None, "low": None, "high": None}],
        "curves": {"accuracy": {"validation": [(1, 0.1), (2, accuracy)]}},
    }
    return Run(summary, content, {(image, "cat"): one for image, one in right.items()})


FIRST = _run("one", {f"{n}.png": n < 80 for n in range(100)}, {"training": {"seed": 1, "epochs": 2}, "name": "a"}, 0.8)
SECOND = _run(
    "two",
    {f"{n}.png": 10 <= n < 94 for n in range(100)} | {"other.png": True},
    {"training": {"seed": 2, "epochs": 2}, "network": {"norm": "an"}, "name": "a"},
    0.84,
)


def test_mcnemar_counts_the_images_that_only_one_run_predicts_correctly():
    found = mcnemar(FIRST, SECOND)
    assert (found.images, found.only_first, found.only_second) == (100, 10, 14)
    assert found.p_value == pytest.approx(2 * binom.cdf(10, 24, 0.5))
    (line,) = against_first([FIRST, SECOND])
    assert line.startswith("of 100 images in common, only two classifies 14 correctly, and only one 10")
    assert "may be due to chance" in line


def test_a_run_does_not_differ_from_itself():
    assert mcnemar(FIRST, FIRST).p_value == 1
    assert differences([FIRST, FIRST]) == {}


def test_runs_without_common_images_are_not_tested():
    (line,) = against_first([FIRST, _run("three", {"x.png": True}, {})])
    assert line == "three and one have no evaluated images in common"


def test_differences_include_missing_keys():
    assert differences([FIRST, SECOND]) == {"training.seed": [1, 2], "network.norm": [None, "an"]}


def test_values_in_brackets_are_printed_as_they_are(capsys):
    blocks = [["r1_k3.5_s11_e6_i40_o80_se0.25"], ["[/x][red]", "none"]]
    comparing.print_comparison([_run(f"run{n}", {"x.png": True}, {"network": {"blocks": blocks[n]}}) for n in range(2)])
    printed = capsys.readouterr().out
    assert "[r1_k3.5_s11_e6_i40_o80_se0.25]" in printed
    assert "['[/x][red]', none]" in printed
    assert "0.5000  [0.4000, 0.6000]" in printed


@pytest.mark.parametrize(("width", "tables"), [(300, 1), (80, 3), (40, 6)])
def test_on_a_narrow_terminal_runs_have_several_tables_with_whole_names(capsys, monkeypatch, width, tables):
    names = [f"20261130-05582{number}-043523" for number in range(6)]
    compared = [_run(name, {"x.png": True}, {"training": {"epochs": n}}) for n, name in enumerate(names)]
    monkeypatch.setattr(comparing, "PlainConsole", lambda width: PlainConsole(width=columns))
    columns = width
    comparing.print_comparison(compared)
    printed = capsys.readouterr().out.partition("\nof 1 images")[0]
    assert [printed.count(name) for name in names] == [1] * 6
    assert printed.count("accuracy") == printed.count("training.epochs") == tables


@pytest.mark.parametrize(
    ("correct", "accuracy", "winner"),
    [
        (range(10, 94), 0.84, None),  # p = 0.54, and overlapping intervals
        (range(94), 0.94, 1),  # p = 0.0001 on the same images, although the intervals overlap
        (range(80), 0.8, None),  # the same predictions
    ],
)
def test_a_run_is_the_best_only_if_the_difference_is_more_than_chance(correct, accuracy, winner):
    right = {f"{n}.png": n in correct for n in range(100)}
    first = _run("one", {f"{n}.png": n < 80 for n in range(100)}, {}, 0.8)
    found = comparing.best([first, _run("two", right, {}, accuracy)])
    assert found == ({} if winner is None else {"accuracy": winner})


def test_on_other_images_the_intervals_of_the_best_run_overlap_no_other():
    other = {"other.png": True}
    assert comparing.best([FIRST, _run("two", other, {}, 0.95)]) == {}
    assert comparing.best([FIRST, _run("two", other, {}, 0.55)]) == {"accuracy": 0}
    assert comparing.best([FIRST, _run("two", other, {}, 0.55), _run("three", other, {}, 0.85)]) == {}


def test_the_page_marks_the_best_value_and_shows_the_differences(tmp_path):
    worse = _run("two", {"other.png": True}, SECOND.content["config"], 0.5)
    write_comparison([FIRST, worse], tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.count("★") == 1
    assert page.index("0.8000 ★") < page.index("0.5000")
    assert "<code>training.<wbr>seed</code>" in page
    assert page.count("<polyline") == 2
    assert "http" not in page.replace('http-equiv="Content-Security-Policy"', "")


@pytest.mark.parametrize("width", [1280, 400])
def test_a_browser_shows_the_page_at_every_width_without_network_requests(tmp_path, chromium, width):
    write_comparison([FIRST, SECOND], tmp_path / "page.html")
    page = chromium.open(tmp_path / "page.html", width=width)
    assert page.evaluate("document.querySelector('h1').innerText") == "2 runs compared"
    assert page.evaluate("document.querySelector('.best')") is None
    assert "Here no value is." in page.evaluate("document.querySelector('#metrics p').innerText")
    boxes = "[...document.querySelectorAll('#curves polyline')].map((line) => line.getBoundingClientRect())"
    assert page.evaluate(f"{boxes}.filter((box) => box.width > 100 && box.height > 20).length") == 2
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert (page.said, page.requests) == ([], [])


@pytest.mark.parametrize(("classes", "is_shown"), [(3, False), (4, True)])
def test_top_3_accuracy_is_shown_from_four_classes_on(classes, is_shown):
    run = _run("one", {"x.png": True}, {})
    run.content["classes"].extend({"label": str(number)} for number in range(2, classes))
    run.content["metrics"].append({"name": "top_3", "value": 1.0, "low": 0.9, "high": 1.0})
    assert ("top_3" in comparing.metrics([run, FIRST])) is is_shown


def test_the_folder_of_the_page_is_made(tmp_path):
    write_comparison([FIRST, SECOND], tmp_path / "pages" / "page.html")
    assert "<h1>2 runs compared</h1>" in (tmp_path / "pages" / "page.html").read_text(encoding="utf-8")


def test_fewer_than_two_reports_are_refused(monkeypatch):
    monkeypatch.setattr(comparing, "read_run", lambda summary: FIRST if summary.run == "/runs/one" else None)
    with pytest.raises(BadInput, match="1 of these runs evaluated a model"):
        compare([FIRST.summary, SECOND.summary])


@pytest.mark.parametrize("damage", ["missing", "empty", "text", "cut off", "columns"])
def test_damaged_predictions_are_named_with_the_cure(tmp_path, damage):
    content = {"config": {}, "metrics": [], "curves": {}, "verdict": {}}
    (tmp_path / "content.json").write_text(json.dumps(content))
    file = tmp_path / "predictions.parquet"
    pq.write_table(pa.table({"other": [1, 2]}), file)
    if damage == "missing":
        file.unlink()
    elif damage != "columns":
        file.write_bytes({"empty": b"", "text": b"no table", "cut off": file.read_bytes()[:100]}[damage])
    facts = {"run": "/runs/one", "evaluated": str(tmp_path), "started": "2020-01-02T03:04:05+00:00"}
    with pytest.raises(BadInput) as raised:
        read_run(Summary(state="pushed", reason="", **facts))
    assert str(raised.value).startswith(f"{file}: is damaged (")
    assert str(raised.value).endswith(f"delete {tmp_path} and run the pipeline again")


def test_metrics_on_test_splits_are_shown_without_a_winner(tmp_path, capsys):
    interval = {"name": "accuracy", "value": 0.7123, "low": 0.6, "high": 0.8}
    tested = Run(FIRST.summary, {**FIRST.content, "test": {"metrics": [interval]}}, FIRST.right)
    assert comparing.metrics_on_test([tested, SECOND]) == {"accuracy": [interval, None]}
    comparing.print_comparison([tested, SECOND])
    assert "test: accuracy  0.7123  [0.6000, 0.8000]" in " ".join(capsys.readouterr().out.split(" ")).replace(
        "   ", " "
    )
    write_comparison([tested, SECOND], tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert "On the test split." in page
    assert "0.7123 ★" not in page


@pytest.mark.parametrize(
    ("folders", "names"),
    [
        (("/a/runs/best", "/b/runs/best", "/b/runs/2"), ["a/best", "b/best", "2"]),
        (("/x/a/runs/best", "/y/a/runs/best"), ["/x/a/best", "/y/a/best"]),
    ],
)
def test_runs_of_the_same_name_are_told_apart(monkeypatch, folders, names):
    monkeypatch.setattr(comparing, "read_run", lambda summary: replace(FIRST, summary=summary))
    summaries = [FIRST.summary.model_copy(update={"run": folder}) for folder in folders]
    assert [run.name for run in compare(summaries)] == names
