"""Tests of the page with the statistics of TFDV."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from efficientmixnet.pipeline.inspection.inspect_images import Inspection
from efficientmixnet.pipeline.inspection.statistics_view import statistics_view

# Twenty classes, eleven of them with two images; the widths are 10 to 40 with a mean of 25.
DESCRIBED = [(f"<class {number % 20}>", "PNG", "RGB", 10 + number, 8) for number in range(31)]


@pytest.fixture(scope="module")
def html() -> str:
    return statistics_view("my <data>", Inspection({"train": Counter()}, described=DESCRIBED))


def test_the_statistics_match_the_images(html: str) -> None:
    words = " ".join(html.replace("<", " <").replace(">", "> ").split())
    assert "<title> my &lt;data&gt;: statistics </title>" in words
    assert "for the 31 images in my &lt;data&gt;" in words
    for name, value in {"minimum": 10, "median": 25, "maximum": 40, "mean": 25, "standard deviation": 8.944}.items():
        assert f"<dt> {name} </dt> <dd> {value} </dd>" in words
    assert "<dt> values </dt> <dd> 20 </dd>" in words
    assert "and 8 more" in words
    assert "&lt;class 0&gt;" in words


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (400, True)])
def test_a_browser_draws_the_page_without_network_requests(
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
