"""Tests of the page with TFMA's metrics: its tables, its matrix and its charts in a browser."""

import html

import numpy as np
import pytest

from efficientmixnet.components.evaluator.slices import Slice
from efficientmixnet.modules import features
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.pipeline.runs.run_summary import Summary
from efficientmixnet.pipeline.runs.tfma_page import tfma_page
from efficientmixnet.pipeline.runs.tfma_page.page import render

LABELS = ["class 10", "ant</script>", "class 9"]
CONFUSION = np.array([[31, 0, 4], [0, 12, 0], [5, 1, 20]], float)
RUNS = {"run a": 0.25, "run b": 0.5, "run c": 0.75}


def _slice(values: dict[str, str], accuracy: float, images: float = 9, **more: dict) -> Slice:
    metrics = {"example_count": images, "accuracy": accuracy, "macro_f1": 0.4321}
    return Slice(tuple(values.items()), metrics, **{"baseline": {}, "intervals": {}} | more)


def _page(attack: str = "") -> str:
    slices = [
        *(_slice({features.LABEL: attack + label}, 0.1 * number) for number, label in enumerate(LABELS, 1)),
        _slice({}, 0.5, 73, baseline={"accuracy": 0.4}, intervals={"accuracy": (0.3, 0.7)}),
        _slice({"image/format": "PNG", "camera": f"{attack}left"}, 0.6),
    ]
    labels = [attack + label for label in LABELS]
    runs = {attack + name: _slice({}, accuracy) for name, accuracy in RUNS.items()}
    return render(f"{attack}a run", slices, labels, CONFUSION, runs)


def test_an_evaluation_without_metrics_of_all_images_is_refused(monkeypatch, tmp_path):
    content = {"evaluation": str(tmp_path), "classes": [{"label": "ant"}]}
    monkeypatch.setattr(tfma_page, "read_content", lambda summary: content)
    monkeypatch.setattr(tfma_page, "_slices", lambda uri: [])
    summary = Summary(state="pushed", reason="", run=str(tmp_path), started="2020-01-02T03:04:05+00:00")
    with pytest.raises(BadInput, match=f"^{tmp_path}: has no metrics of all images; delete {tmp_path} and run the"):
        tfma_page.write_tfma_page(summary, [summary])


@pytest.fixture(scope="module", params=[(1280, False), (390, True)], ids=["desktop, light", "phone, dark"])
def page(request, chromium, tmp_path_factory):
    file = tmp_path_factory.mktemp("tfma") / "tfma.html"
    file.write_text(_page(), encoding="utf-8")
    width, dark = request.param
    opened = chromium.open(file, width=width, dark=dark)
    yield opened
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    ground = opened.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(20, 23, 26)" if dark else "rgb(255, 255, 255)")
    assert (opened.said, opened.requests) == ([], [])


def _rows(page, table: str) -> list[list[str]]:
    cells = "[...row.cells].map((one) => one.innerText.split('\\n')[0].trim())"
    return page.evaluate(f"[...document.querySelectorAll('{table} tr')].map((row) => {cells})")


def test_the_first_view_has_the_metrics_of_each_slice_in_order_of_names(page):
    rows = _rows(page, "#slices table")
    assert [row[:3] for row in rows] == [
        ["all images", "images", "accuracy"],
        ["all", "73", "0.5000"],
        ["label", "images", "accuracy"],
        ["ant</script>", "9", "0.2000"],
        ["class 9", "9", "0.3000"],
        ["class 10", "9", "0.1000"],
        ["format and camera", "images", "accuracy"],
        ["PNG and left", "9", "0.6000"],
    ]


def test_macro_f1_is_left_out_in_slices_by_label(page):
    heads = page.evaluate("[...document.querySelectorAll('#slices thead')].map((one) => one.innerText)")
    assert ["macro F1" in head for head in heads] == [True, False, True]


def test_the_interval_and_the_difference_to_the_baseline_model_are_shown(page):
    cell = page.evaluate("document.querySelector('#slices tbody tr').cells[2].innerText")
    assert cell.split() == ["0.5000", "0.3000", "–", "0.7000", "+0.1000"]


def test_the_matrix_has_the_names_of_the_classes_in_order(page):
    assert _rows(page, "#matrix") == [
        ["true ↓", "ant</script>", "class 9", "class 10"],
        ["ant</script>", "12", "", ""],
        ["class 9", "1", "20", "5"],
        ["class 10", "", "4", "31"],
    ]
    page.evaluate(
        """(() => {
            const order = document.getElementById("order");
            order.value = "recall";
            order.dispatchEvent(new Event("change"));
        })()"""
    )
    assert [row[0] for row in _rows(page, "#matrix")[1:]] == ["class 9", "class 10", "ant</script>"]
    assert _rows(page, "#confusions")[1] == ["class 9", "class 10", "5", "19.2 %"]


def test_the_metrics_over_the_runs_are_a_chart_and_a_table(page):
    assert [row[:4] for row in _rows(page, "#runs table")[1:]] == [
        [str(number), name, "9", f"{accuracy:.4f}"] for number, (name, accuracy) in enumerate(RUNS.items(), 1)
    ]
    points = page.evaluate("document.querySelector('#runs polyline').getAttribute('points')").split()
    heights = [float(point.split(",")[1]) for point in points]
    assert heights[0] - heights[1] == pytest.approx(heights[1] - heights[2], abs=0.2)
    assert heights[0] > heights[2]  # SVG counts from the top


def test_a_table_of_slices_is_sorted_with_the_keyboard(page):
    page.evaluate("document.querySelectorAll('#slices table')[1].querySelectorAll('th')[2].focus()")
    page.call("Input.dispatchKeyEvent", type="keyDown", key="Enter", code="Enter", text="\r")
    rows = page.evaluate(
        "[...document.querySelectorAll('#slices table')[1].tBodies[0].rows].map((one) => one.innerText)"
    )
    assert [row.split("\t")[0].strip() for row in rows] == ["class 9", "ant</script>", "class 10"]


def test_there_are_no_controls_but_the_order_of_the_matrix(page):
    assert page.evaluate("document.querySelectorAll('input, button, select').length") == 1


def test_the_navigation_works_in_the_frame_of_a_notebook(chromium, tmp_path):
    file = tmp_path / "notebook.html"
    file.write_text(f'<link rel="icon" href="data:,"><iframe height="300" srcdoc="{html.escape(_page())}"></iframe>')
    notebook = chromium.open(file)
    notebook.evaluate("frames[0].document.querySelector('nav a:last-child').click()")
    assert notebook.wait_for("frames[0].scrollY > 300")
    assert notebook.evaluate("frames[0].document.querySelector('h1').innerText") == "TFMA: a run"
    assert (notebook.said, notebook.requests) == ([], [])


def test_a_matrix_of_many_classes_is_a_table_of_mistakes():
    labels = [f"class {number}" for number in range(50)]
    counts = np.diag(np.full(50, 10.0))
    counts[3, 4] = 2
    written = render("a run", [_slice({}, 0.5)], labels, counts, {})
    assert 'id="matrix"' not in written
    assert "<td>class 3</td><td>class 4</td>" in written
    assert 'id="runs"' not in written


def test_only_the_scripts_of_the_page_run(chromium, tmp_path):
    """Values of the slices, labels and the names of runs come from data and paths."""
    attack = "</script><script>pwned=1</script>\"'><img src=x onerror=pwned=1>\x1b"
    written = _page(attack)
    assert "\x1b" not in written
    allowed = written.partition('http-equiv="Content-Security-Policy" content="')[2].partition('"')[0]
    assert "unsafe" not in allowed
    (tmp_path / "tfma.html").write_text(written, encoding="utf-8")
    page = chromium.open(tmp_path / "tfma.html")
    shown = attack.replace("\x1b", "\\u001b")
    for place in ("#slices", "#matrix", "#confusions", "#runs", "h1"):
        assert shown in page.evaluate(f"document.querySelector('{place}').innerText")
    assert page.evaluate("typeof pwned") == "undefined"
    assert (page.said, page.requests) == ([], [])
