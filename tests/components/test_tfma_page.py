"""TFMA's views on a page of their own: drawn in a browser, without the network."""

import re
import shutil
import subprocess

import pytest

from efficientmixnet.components.tfma_page.page import View, render

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
# What the elements drew lies in their shadows, which no listing of the page shows.
COLLECT = """
const inner = (node) => [...node.querySelectorAll("*")].filter((one) => one.shadowRoot).map((one) => one.shadowRoot);
const roots = (node) => [node, ...inner(node).flatMap(roots)];
setTimeout(() => {
  const found = (what) => roots(document).flatMap((root) => [...root.querySelectorAll(`google-chart ${what}`)]);
  const texts = roots(document).map((root) => root.textContent ?? "").join(" ");
  const seen = (what) => found(what).filter((one) => one.getBoundingClientRect().height > 0).length;
  document.title = `${seen("polyline")} line, ${seen("rect")} bars, ${seen("td")} cells, 31 ${texts.includes("31")}`;
}, 2500);
"""
# As tensorflow_model_analysis.view.util gives them.
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


def _metrics(accuracy: float, pictures: float) -> dict:
    return {"": {"": {"accuracy": {"doubleValue": accuracy}, "example_count": {"doubleValue": pictures}}}}


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
            View("Over the runs", "tfma-nb-time-series", {"isModelCentric": True}, runs),
        ],
    )


def test_nothing_is_left_to_load(page):
    assert len(page) < 5_000_000
    for address in ("gstatic.com/charts", "fonts.googleapis.com"):
        assert address not in page


@pytest.mark.skipif(not BROWSER, reason="no browser is installed")
def test_a_browser_draws_the_views_without_errors(page, tmp_path):
    file = tmp_path / "tfma.html"
    file.write_text(page.replace("</body>", f"<script>{COLLECT}</script></body>"), encoding="utf-8")
    command = [
        *(str(BROWSER), "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking"),
        *("--enable-logging=stderr", f"--user-data-dir={tmp_path / 'browser'}", "--virtual-time-budget=6000"),
        *("--window-size=1200,2000", "--dump-dom", file.as_uri()),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)  # noqa: S603
    assert "CONSOLE" not in done.stderr, done.stderr
    seen = re.findall("<title>(.*?)</title>", done.stdout)[-1]
    assert re.fullmatch("[1-9] line, 2 bars, 6 cells, 31 true", seen), seen
