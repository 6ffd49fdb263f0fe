"""Tests of the page with the views of TFMA."""

import pytest

from efficientmixnet.pipeline.runs.tfma_page.page import View, render

# The views are in the shadow roots of TFMA's elements. They are complete when the matrix appears.
COLLECT = """() => {
  const inner = (node) => [...node.querySelectorAll("*")].filter((one) => one.shadowRoot).map((one) => one.shadowRoot);
  const roots = (node) => [node, ...inner(node).flatMap(roots)];
  const found = (what) => roots(document).flatMap((root) => [...root.querySelectorAll(`google-chart ${what}`)]);
  const seen = (what) => found(what).filter((one) => one.getBoundingClientRect().height > 0).length;
  const texts = roots(document).map((root) => root.textContent ?? "").join(" ");
  const place = (point) => point.split(",").map(Number);
  const [line] = found("polyline").map((one) => one.getAttribute("points").split(" ").map(place));
  return texts.includes("31") && seen("rect") && { line, bars: seen("rect"), cells: seen("td") };
}"""
# The format of tensorflow_model_analysis.view.util.
MATRIX = {
    "multiClassConfusionMatrixAtThresholds": {
        "matrices": [{"entries": [{"numWeightedExamples": 31.0}, {"predictedClassId": 1, "numWeightedExamples": 4.0}]}]
    }
}
PLOT = {
    "sliceName": "Overall",
    "metricKeys": {
        "multiClassConfusionMatrixPlot": {
            "metricName": "multiClassConfusionMatrixAtThresholds",
            "dataSeries": "matrices",
        }
    },
}


def _metrics(accuracy: float, images: float) -> dict:
    return {"": {"": {"accuracy": {"doubleValue": accuracy}, "example_count": {"doubleValue": images}}}}


@pytest.fixture(scope="module")
def page() -> str:
    slices = [
        {"slice": f"label:{name}", "metrics": _metrics(number / 10, number)}
        for number, name in enumerate(("ant</script>", "bee"), 1)
    ]
    runs = [
        {"metrics": _metrics(accuracy, 9), "config": {"modelIdentifier": str(accuracy), "dataIdentifier": "d"}}
        for accuracy in (0.25, 0.75)
    ]
    return render(
        "a run",
        [
            View("By label", "tfma-nb-slicing-metrics", {"weightedExamplesColumn": "example_count"}, slices),
            View("Plots", "tfma-nb-plot", PLOT, MATRIX),
            View("All runs", "tfma-nb-time-series", {"isModelCentric": True}, runs),
        ],
    )


def test_the_page_has_no_addresses_to_load(page):
    assert len(page) < 5_000_000
    for address in ("gstatic.com/charts", "fonts.googleapis.com"):
        assert address not in page


def test_a_browser_draws_the_views_without_errors_or_network_requests(page, tmp_path, chromium):
    file = tmp_path / "tfma.html"
    file.write_text(page, encoding="utf-8")
    shown = chromium.open(file, width=1200, height=2000)
    seen = shown.wait_for(f"({COLLECT})()")
    (_, first), (_, last) = sorted(seen["line"])
    assert first > last  # accuracy rises from the run before to the last one, and SVG counts from the top
    assert (seen["bars"], seen["cells"]) == (2, 6)
    assert (shown.said, shown.requests) == ([], [])


def test_only_the_scripts_of_the_page_run(chromium, tmp_path):
    """Values of the slices and the name of the run come from data and paths."""
    attack = "</script><script>pwned=1</script>\"'><img src=x onerror=pwned=1>\x1b"
    slices = [{"slice": f"label:{attack}{number}", "metrics": _metrics(0.5, 3)} for number in range(2)]
    html = render(attack, [View(attack, "tfma-nb-slicing-metrics", {"weightedExamplesColumn": attack}, slices)])
    assert "\x1b" not in html
    allowed = html.partition('http-equiv="Content-Security-Policy" content="')[2].partition('"')[0]
    assert "unsafe" not in allowed.partition("script-src")[2].partition(";")[0]
    (tmp_path / "tfma.html").write_text(html, encoding="utf-8")
    page = chromium.open(tmp_path / "tfma.html", width=1200)
    page.wait_for("document.querySelectorAll('.slices td').length")
    shown = attack.replace("\x1b", "\\u001b")
    assert shown in page.evaluate("document.querySelector('.slices').innerText")
    assert page.evaluate("typeof pwned") == "undefined"
    assert (page.said, page.requests) == ([], [])
