"""The report page: one HTML file that loads nothing from elsewhere.

This module imports neither TensorFlow nor TFX, so that `efficientmixnet report` starts at once.
"""

import base64
import math
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
import yaml
from markupsafe import Markup

from efficientmixnet.components.evaluator.metric_names import METRICS
from efficientmixnet.components.evaluator.paired_difference import SIGNIFICANT
from efficientmixnet.components.report.charts import line_chart, reliability_chart
from efficientmixnet.components.report.html_page import (
    as_json,
    own_file,
    own_text,
    page_environment,
    policy,
    shown,
    style_sheet,
)
from efficientmixnet.components.report.relabel import RELABEL_FILE, as_csv

CONTENT_FILE, PAGE_FILE = "content.json", "report.html"
_FOLDER = Path(__file__).parent
_CURVES = ("accuracy", "loss", "learning_rate")


def render(content: Mapping[str, Any], run: Mapping[str, Any] | None = None, inspection: str | None = None) -> str:
    """Returns the report page as HTML.

    Args:
        content: The report's content, as write_report writes it.
        run: The run's summary (pipeline/runs/run_summary.py), once the run has ended.
        inspection: The address of the page of `efficientmixnet inspect`, relative to the report, if there is one.
    """
    curves = {
        name: line_chart(content["curves"][name], "epoch", name.replace("_", " "), f"{name} by epoch")
        for name in _CURVES
        if content["curves"].get(name)
    }
    return _rendered(
        "page.html",
        {"test": None, "guessing": None, **content},
        run=run,
        inspection=inspection,
        largest=_largest(content.get("labels", {}).values()),
        curve_charts=curves,
        config_yaml=yaml.safe_dump(content["config"], sort_keys=False, allow_unicode=True),
    )


def render_evaluation(content: Mapping[str, Any], evaluation: Mapping[str, Any]) -> str:
    """Returns the report page of `efficientmixnet evaluate` as HTML.

    Args:
        content: The measures and galleries, as content.measured and content.shown return them.
        evaluation: The content of evaluation.json.
    """
    return _rendered("evaluation.html", content, evaluation=evaluation, test=None, verdict={}, warnings=(), labels={})


def _rendered(template: str, content: Mapping[str, Any], **more: Any) -> str:
    """Returns a page with measures and galleries."""
    trade_offs = [
        (title, line_chart(content[kind], x_label, y_label, title, of_fractions=True))
        for kind, title, x_label, y_label in (
            ("roc", "ROC", "false positive rate", "true positive rate"),
            ("precision_recall", "precision and recall", "recall", "precision"),
        )
        if content.get(kind)
    ]
    style, script = style_sheet(_FOLDER / "page.css"), own_file(_FOLDER / "page.js")
    return _template(template).render(
        **content,
        **more,
        metric_names=METRICS,
        significant=SIGNIFICANT,
        trade_offs=trade_offs,
        relabel_file=RELABEL_FILE,
        relabel_data=_as_data(as_csv(content["relabel"])) if content.get("relabel") else None,
        reliability_chart=reliability_chart(content["reliability"], (content.get("calibration") or {}).get("before")),
        policy=policy([script], [style]),
        style=style,
        script=script,
        data=as_json(
            {
                "labels": [one["label"] for one in content["classes"]],
                "confusion": content["confusion"],
                "cells": content["cells"],
                "images": {place: one | {"map": None} for place, one in content["images"].items()},
            }
        ),
    )


def render_comparison(
    names: Sequence[str],
    states: Sequence[str],
    metrics: Mapping[str, Sequence[Mapping[str, float] | None]],
    test_metrics: Mapping[str, Sequence[Mapping[str, float] | None]],
    differences: Mapping[str, Sequence[str]],
    against_first: Sequence[str],
    best: Mapping[str, int],
    curves: Sequence[Mapping[str, Any]],
) -> str:
    """Returns the page that compares runs as HTML. Every sequence but `against_first` has one item for each run.

    Args:
        names: The runs' names.
        states: The runs' states.
        metrics: By name, each run's value with `low` and `high`; None where a run has no such metric.
        test_metrics: As `metrics`, on the test split; empty without one.
        differences: By key of the configuration, each run's value.
        against_first: A sentence for each further run.
        best: By metric, the position of the best run, if there is one.
        curves: The training curves (curves.read_curves).
    """
    charts = {}
    for metric in ("accuracy", "loss"):
        lines = {
            name: curve[metric]["validation"]
            for name, curve in zip(names, curves, strict=True)
            if curve.get(metric, {}).get("validation")
        }
        if lines:
            charts[metric] = line_chart(lines, "epoch", metric, f"{metric} by epoch and run")
    style = style_sheet(_FOLDER / "page.css")
    return _template("comparison.html").render(
        names=names,
        states=states,
        metrics=metrics,
        test_metrics=test_metrics,
        differences=shown(differences),
        against_first=against_first,
        best=best,
        charts=charts,
        metric_names=METRICS,
        policy=policy(styles=[style]),
        style=style,
    )


def _template(name: str) -> jinja2.Template:
    environment = page_environment(_FOLDER)
    environment.filters |= {"number": number, "change": change, "percent": percent, "quoted": shlex.quote}
    return environment.get_template(name)


def number(value: float | None) -> str:
    """0.98547 -> 0.9855"""
    return "–" if value is None or not math.isfinite(value) else f"{value:.4f}"


def change(value: float | None) -> str:
    """0.0213 -> +0.0213, with a minus sign that is as wide as the plus sign"""
    return "–" if value is None or not math.isfinite(value) else f"{value:+.4f}".replace("-", "−")


def percent(value: float | None) -> str:
    """0.98547 -> 98.5 %"""
    return "–" if value is None or not math.isfinite(value) else f"{100 * value:.1f}\u00a0%"


def _largest(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Returns by split the number of images of its largest class."""
    found: dict[str, int] = {}
    for by_split in counts:
        for split, count in by_split.items():
            found[split] = max(count, found.get(split, 0))
    return found


def _as_data(text: str) -> Markup:
    """Returns a CSV file as the address of a link that saves it."""
    return own_text(f"data:text/csv;base64,{base64.b64encode(text.encode()).decode()}")  # only letters and digits
