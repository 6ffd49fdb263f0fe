"""TFDV's figures are on a page that a browser draws without the network."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from efficientmixnet.pipeline.inspection.inspect_images import Inspection
from efficientmixnet.pipeline.inspection.statistics_view import statistics_view

# Twenty classes, of which the first has eleven images more; widths of 10 to 40 whose mean is 25.
DESCRIBED = [(f"<class {number % 20}>", "PNG", "RGB", 10 + number, 8) for number in range(31)]


@pytest.fixture(scope="module")
def html() -> str:
    return statistics_view("my <data>", Inspection({"train": Counter()}, described=DESCRIBED))


def test_figures_are_those_of_the_images(html: str) -> None:
    words = " ".join(html.replace("<", " <").replace(">", "> ").split())
    assert "<title> my &lt;data&gt;: statistics </title>" in words
    assert "counts in the 31 images of my &lt;data&gt;" in words
    for name, value in {"least": 10, "median": 25, "greatest": 40, "mean": 25, "deviation": 8.944}.items():
        assert f"<dt> {name} </dt> <dd> {value} </dd>" in words
    assert "<dt> values </dt> <dd> 20 </dd>" in words
    assert "and 8 more" in words
    assert "&lt;class 0&gt;" in words


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (400, True)])
def test_a_browser_draws_it_and_asks_the_network_for_nothing(
    html: str, tmp_path: Path, chromium: Any, width: int, dark: bool
) -> None:
    file = tmp_path / "statistics.html"
    file.write_text(html, encoding="utf-8")
    page = chromium.open(file, width=width, dark=dark)
    assert page.evaluate("document.querySelectorAll('.feature').length") == 5
    highest = "Math.max(...[...document.querySelectorAll('.histogram i')].map((bar) => bar.offsetHeight))"
    assert page.evaluate(highest) > 80
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert (page.said, page.requests) == ([], [])
