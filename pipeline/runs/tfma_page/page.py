"""render: the HTML page with TFMA's metrics, in the style of the report."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from efficientmixnet.components.evaluator.metric_names import METRICS
from efficientmixnet.components.evaluator.slices import Slice, short_name
from efficientmixnet.components.report.charts import line_chart
from efficientmixnet.components.report.gallery import MOST_CELLS_CLASSES, confusions
from efficientmixnet.components.report.html_page import (
    PAGE_STYLE,
    as_json,
    own_file,
    page_environment,
    policy,
    style_sheet,
)
from efficientmixnet.components.report.page import change, number
from efficientmixnet.modules import features

_FOLDER = Path(__file__).parent
_SCRIPT = PAGE_STYLE.with_name("page.js")


def render(
    name: str, slices: Sequence[Slice], labels: Sequence[str], confusion: np.ndarray, runs: Mapping[str, Slice]
) -> str:
    """Returns the page.

    Args:
        name: The name of the run.
        slices: TFMA's metrics of all images and of each slice.
        labels: The labels in the order of the confusion matrix.
        confusion: The number of images, [true classes, predicted classes].
        runs: By name of each run, oldest first, its metrics over all images.
    """
    style, script = style_sheet(PAGE_STYLE), own_file(_SCRIPT)
    shows_matrix = len(labels) <= MOST_CELLS_CLASSES
    environment = page_environment(_FOLDER)
    environment.filters |= {"number": number, "change": change}
    return environment.get_template("page.html").render(
        name=name,
        slicings=_slicings(slices, len(labels)),
        labels=labels,
        shows_matrix=shows_matrix,
        confusions=confusions(confusion),
        totals=confusion.sum(axis=1).tolist(),
        runs=runs,
        run_metrics=_metrics(list(runs.values()), len(labels)),
        charts=_charts(runs, len(labels)) if len(runs) > 1 else {},
        metric_names=METRICS,
        style=style,
        script=script,
        policy=policy([script], [style]),
        data=as_json({"labels": labels, "confusion": confusion.tolist() if shows_matrix else None}),
    )


def _slicings(slices: Sequence[Slice], classes: int) -> list[dict[str, Any]]:
    """Returns a table for all images and one for each slicing, with the slices in the order of their names."""
    by_features: dict[tuple[str, ...], list[Slice]] = {}
    for one in slices:
        by_features.setdefault(tuple(feature for feature, _ in one.values), []).append(one)
    return [
        {
            "title": " and ".join(map(_feature, names)) or "all images",
            "metrics": [name for name in _metrics(found, classes) if name != "macro_f1" or features.LABEL not in names],
            "slices": sorted(found, key=lambda one: [_natural(value) for _, value in one.values]),
            "has_baseline": any(one.baseline for one in found),
        }
        for names, found in sorted(by_features.items(), key=lambda item: len(item[0]))
    ]


def _metrics(slices: Sequence[Slice], classes: int) -> list[str]:
    """Returns the names of the metrics that a slice has, in the usual order, without those that are always 1."""
    shown = [name for name, metric in METRICS.items() if classes >= metric.least_classes]
    return [name for name in shown if any(name in one.metrics for one in slices)]


def _charts(runs: Mapping[str, Slice], classes: int) -> dict[str, Any]:
    """Returns a chart of each metric by run."""
    charts = {}
    for name in _metrics(list(runs.values()), classes):
        numbered = enumerate(runs.values(), 1)
        points = [(float(place), one.metrics[name]) for place, one in numbered if name in one.metrics]
        title = METRICS[name].title
        charts[title] = line_chart({"all images": points}, "run", title, f"{title} by run")
    return charts


def _feature(name: str) -> str:
    return "label" if name == features.LABEL else short_name(name)


def _natural(value: str) -> list[tuple[int, str]]:
    """Returns a sort key that orders "class 9" before "class 10"."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", value)]
