"""Charts as inline SVG. The page's style sheet colors them, so that they follow dark mode."""

import math
from collections.abc import Mapping, Sequence
from html import escape

from markupsafe import Markup

from efficientmixnet.components.report.html_page import shown

_WIDTH, _HEIGHT = 440, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 80, 12, 12, 38
_STYLES = 6  # colors and dashes of lines, in the style sheet
_WHOLE = ("epoch", "run")  # axes of whole numbers

Points = Sequence[tuple[float, float]]


def line_chart(
    series: Mapping[str, Points], x_label: str, y_label: str, title: str, of_fractions: bool = False
) -> Markup:
    """Returns a chart with one line for each series, and a legend.

    Args:
        series: The points (x, y) of each line, by name. Those that are not finite are left out.
        x_label: The label of the x axis.
        y_label: The label of the y axis.
        title: The text for screen readers.
        of_fractions: Whether both axes go from 0 to 1.
    """
    series = {name: [point for point in line if all(map(math.isfinite, point))] for name, line in series.items()}
    points = [point for line in series.values() for point in line]
    frame = _Frame(_range([x for x, _ in points]), _range([y for _, y in points]))
    if of_fractions:
        frame = _Frame((0.0, 1.0), (0.0, 1.0))
    parts = [frame.axes(x_label, y_label)]
    for number, line in enumerate(series.values()):
        style = _style(number)
        path = " ".join(f"{frame.x(x):.1f},{frame.y(y):.1f}" for x, y in line)
        # A line through a single point would be invisible.
        if len(line) == 1:
            x, y = frame.x(line[0][0]), frame.y(line[0][1])
            parts.append(f'<circle class="{style} dot" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>')
        parts.append(f'<polyline class="{style}" points="{path}"/>')
    return _svg(parts, title) + _legend(list(series))


def reliability_chart(after: Mapping[str, Sequence[float]], before: Mapping[str, Sequence[float]] | None) -> Markup:
    """Returns the reliability diagram: accuracy by confidence.

    Args:
        after: The number of `images`, the mean `confidence` and the `accuracy` of each bin, with the ends `low` and
            `high` of its interval. A report of an earlier version has no ends.
        before: The same before calibration; None: only one line is drawn.
    """
    frame = _Frame((0.0, 1.0), (0.0, 1.0))
    series = {"calibrated": after, "before": before} if before else {"": after}
    parts = [frame.axes("confidence", "accuracy"), _diagonal(frame)]
    for number, bins in enumerate(series.values()):
        parts += _reliability(frame, _style(number), **bins)
    chart = _svg(parts, "Accuracy by confidence")
    return chart + _legend(list(series)) if before else chart


def _reliability(
    frame: "_Frame",
    style: str,
    images: Sequence[float],
    confidence: Sequence[float],
    accuracy: Sequence[float],
    low: Sequence[float] = (),
    high: Sequence[float] = (),
) -> list[str]:
    bins = zip(images, confidence, accuracy, low or accuracy, high or accuracy, strict=True)
    shown = [one for one in bins if one[0]]
    path = " ".join(f"{frame.x(x):.1f},{frame.y(y):.1f}" for _, x, y, _, _ in shown)
    parts = [f'<polyline class="{style}" points="{path}"/>']
    for count, x, y, bottom, top in shown:
        place, ends = f"{frame.x(x):.1f}", f"{bottom:.3f} to {top:.3f}"
        parts.append(
            f'<line class="{style} interval" x1="{place}" x2="{place}" y1="{frame.y(bottom):.1f}" '
            f'y2="{frame.y(top):.1f}"/><circle class="{style} dot" cx="{place}" cy="{frame.y(y):.1f}" r="4">'
            f"<title>{count:,.0f} images: confidence {x:.3f}, accuracy {y:.3f} ({ends})</title></circle>"
        )
    return parts


class _Frame:
    """Converts values to positions in the chart."""

    def __init__(self, x_range: tuple[float, float], y_range: tuple[float, float]) -> None:
        self._x, self._y = x_range, y_range

    def x(self, value: float) -> float:
        low, high = self._x
        return _LEFT + (value - low) / (high - low) * (_WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        low, high = self._y
        return _HEIGHT - _BOTTOM - (value - low) / (high - low) * (_HEIGHT - _TOP - _BOTTOM)

    def axes(self, x_label: str, y_label: str) -> str:
        parts = []
        for value in _ticks(*self._y):
            y = self.y(value)
            parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
            parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:.6g}</text>')
        for value in _ticks(*self._x):
            if x_label in _WHOLE and value % 1:
                continue
            x = self.x(value)
            parts.append(f'<text x="{x:.1f}" y="{_HEIGHT - _BOTTOM + 16}" text-anchor="middle">{value:.6g}</text>')
        middle, center = (_LEFT + _WIDTH - _RIGHT) / 2, (_TOP + _HEIGHT - _BOTTOM) / 2
        parts.append(f'<text x="{middle}" y="{_HEIGHT - 4}" text-anchor="middle">{_escaped(x_label)}</text>')
        upward = f'transform="translate(13 {center}) rotate(-90)"'
        parts.append(f'<text {upward} text-anchor="middle">{_escaped(y_label)}</text>')
        return "".join(parts)


def _diagonal(frame: _Frame) -> str:
    return f'<line class="ideal" x1="{frame.x(0)}" y1="{frame.y(0)}" x2="{frame.x(1)}" y2="{frame.y(1)}"/>'


def _legend(names: Sequence[str]) -> Markup:
    swatch = '<svg class="chart swatch" viewBox="0 0 30 8"><line class="{}" x1="0" x2="30" y1="4" y2="4"/></svg>'
    items = (f"<li>{swatch.format(_style(number))} {_escaped(name)}</li>" for number, name in enumerate(names))
    return Markup(f'<ul class="legend">{"".join(items)}</ul>')  # noqa: S704  escaped


def _style(number: int) -> str:
    """Returns the classes of a line. Each of the first 36 lines has another color or dash."""
    return f"line{number % _STYLES} dash{(number + number // _STYLES) % _STYLES}"


def _range(values: Sequence[float]) -> tuple[float, float]:
    """Returns the lowest and the highest value, never the same number."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _ticks(low: float, high: float) -> list[float]:
    """Returns about five round numbers within the range."""
    step = 10 ** math.floor(math.log10((high - low) / 4))
    step = min((step * by for by in (1, 2, 2.5, 5, 10)), key=lambda one: abs((high - low) / one - 5))
    first = math.ceil(low / step - 1e-9)
    return [number * step for number in range(first, math.floor(high / step + 1e-9) + 1)]


def _escaped(text: str) -> str:
    return escape(shown(text))


def _svg(parts: Sequence[str], title: str) -> Markup:
    inner = "".join(parts)
    return Markup(  # noqa: S704  outside text is escaped above
        f'<svg class="chart" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{_escaped(title)}">{inner}</svg>'
    )
