"""Tests of the charts: the numbers on their axes."""

import re

import pytest

from efficientmixnet.components.report.charts import line_chart
from efficientmixnet.components.report.html_page import PAGE_STYLE, style_sheet


@pytest.mark.parametrize(("highest", "step"), [(0.025, 5e-3), (3e-4, 5e-5), (1.25e-4, 2.5e-5), (3e-5, 5e-6)])
def test_the_numbers_on_an_axis_are_the_multiples_of_its_step(highest, step):
    chart = line_chart({"train": [(1, highest), (10, 0.0)]}, "epoch", "learning rate", "")
    numbers = [float(one) for one in re.findall(r'text-anchor="end">([^<]*)<', chart)]
    assert numbers == pytest.approx([step * number for number in range(round(highest / step) + 1)], abs=1e-12)


def test_long_numbers_do_not_cover_the_caption_of_their_axis(chromium, tmp_path):
    chart = line_chart({"train": [(1, 2.25e-4), (10, 1e-4)]}, "epoch", "learning rate", "")
    page = f"<!doctype html><style>{style_sheet(PAGE_STYLE)}</style>{chart}"
    (tmp_path / "chart.html").write_text(page, encoding="utf-8")
    shown = chromium.open(tmp_path / "chart.html")
    caption, *numbers = shown.evaluate(
        """(() => {
            const texts = [...document.querySelectorAll("text")];
            const caption = texts.find((one) => one.textContent === "learning rate").getBoundingClientRect();
            const numbers = texts.filter((one) => one.getAttribute("text-anchor") === "end");
            return [caption.right, ...numbers.map((one) => one.getBoundingClientRect().left)];
        })()"""
    )
    assert len(numbers) == 6
    assert caption < min(numbers)


def test_points_that_are_not_finite_are_left_out():
    """Chromium writes an error to the console for a point at nan."""
    line = [(1, 0.5), (2, float("nan")), (3, float("inf")), (4, 0.25)]
    chart = line_chart({"train": line, "validation": [(1, float("nan"))]}, "epoch", "loss", "")
    assert "nan" not in chart
    assert "inf" not in chart
    (drawn, empty) = re.findall(r'<polyline[^>]* points="([^"]*)"', chart)
    assert (len(drawn.split()), empty) == (2, "")


def test_each_of_many_lines_has_a_style_of_its_own(chromium, tmp_path):
    lines = {f"run {number}": [(1, number), (2, number + 1)] for number in range(20)}
    chart = line_chart(lines, "epoch", "loss", "")
    page = f"<!doctype html><style>{style_sheet(PAGE_STYLE)}</style>{chart}"
    (tmp_path / "chart.html").write_text(page, encoding="utf-8")
    drawn, legend = chromium.open(tmp_path / "chart.html").evaluate(
        """["polyline", ".swatch line"].map((what) => [...document.querySelectorAll(what)].map((one) => {
            const style = getComputedStyle(one);
            return `${style.stroke} ${style.strokeDasharray}`;
        }))"""
    )
    assert len(set(drawn)) == len(lines)
    assert legend == drawn
