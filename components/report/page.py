"""The page: a report's content, and what is known of its run, as one HTML file that loads nothing.

Imports neither TensorFlow nor TFX: `efficientmixnet report` answers at once.
"""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
import yaml
from markupsafe import Markup

from efficientmixnet.components.report.charts import line_chart, reliability_chart

CONTENT_FILE, PAGE_FILE = "content.json", "report.html"
NAMES = {
    "accuracy": "accuracy",
    "top_3": "top-3 accuracy",
    "balanced_accuracy": "balanced accuracy",
    "macro_f1": "macro F1",
    "loss": "log loss",
    "calibration_error": "calibration error (ECE)",
    "auc": "ROC AUC, mean over classes",
}
MEANINGS = {
    "accuracy": "share of images that are named right",
    "top_3": "share whose right class is among the three likeliest",
    "balanced_accuracy": "mean of the classes' recalls, so that small classes count as much as large ones",
    "macro_f1": "mean over the classes of the harmonic mean of precision and recall",
    "loss": "mean cross-entropy, nats: 0 is best",
    "calibration_error": "how far confidence lies from accuracy, on average: 0 is best",
    "auc": "chance that an image of a class gets more of that class's probability than one of another class",
}
LOWER_IS_BETTER = frozenset({"loss", "calibration_error"})
_FOLDER = Path(__file__).parent
_CURVES = ("accuracy", "loss", "learning_rate")


def render(content: Mapping[str, Any], run: Mapping[str, Any] | None = None) -> str:
    """The page as HTML; `run` is the run's summary (pipeline/runs/run_summary.py), where it has ended."""
    reliability = content["reliability"]
    curves = {
        name: line_chart(content["curves"][name], "epoch", f"{name} by epoch")
        for name in _CURVES
        if content["curves"].get(name)
    }
    trade_offs = [
        (title, line_chart(content[kind], x_label, title, of_shares=True))
        for kind, title, x_label in (
            ("roc", "true positive rate (ROC)", "false positive rate"),
            ("precision_recall", "precision", "recall"),
        )
        if content.get(kind)
    ]
    return _template("page.html").render(
        **content,
        run=run,
        names=NAMES,
        meanings=MEANINGS,
        lower_is_better=LOWER_IS_BETTER,
        curve_charts=curves,
        trade_offs=trade_offs,
        reliability_chart=reliability_chart(**reliability),
        config_yaml=yaml.safe_dump(content["config"], sort_keys=False, allow_unicode=True),
        style=_file("page.css"),
        script=_file("page.js"),
        data=_as_json(
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
    differences: Mapping[str, Sequence[str]],
    against_first: Sequence[str],
    curves: Sequence[Mapping[str, Any]],
) -> str:
    """The page that compares runs, each with its name; every sequence has one item a run."""
    charts = {}
    for metric in ("accuracy", "loss"):
        lines = {
            name: curve[metric]["validation"]
            for name, curve in zip(names, curves, strict=True)
            if curve.get(metric, {}).get("validation")
        }
        if lines:
            charts[metric] = line_chart(lines, "epoch", f"{metric} by epoch and run")
    return _template("comparison.html").render(
        names=names,
        states=states,
        metrics=metrics,
        differences=differences,
        against_first=against_first,
        charts=charts,
        metric_names=NAMES,
        meanings=MEANINGS,
        lower_is_better=LOWER_IS_BETTER,
        style=_file("page.css"),
    )


def _template(name: str) -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {"number": number, "change": change, "share": share}
    return environment.get_template(name)


def _file(name: str) -> Markup:
    return Markup((_FOLDER / name).read_text(encoding="utf-8"))  # noqa: S704  our own


def number(value: float | None) -> str:
    """0.98547 -> 0.9855"""
    return "–" if value is None or not math.isfinite(value) else f"{value:.4f}"


def change(value: float | None) -> str:
    """With its sign, and with a minus as long as the plus."""
    return "–" if value is None or not math.isfinite(value) else f"{value:+.4f}".replace("-", "−")


def share(value: float | None) -> str:
    """0.98547 -> 98.5 %"""
    return "–" if value is None or not math.isfinite(value) else f"{100 * value:.1f}\u00a0%"


def _as_json(value: Any) -> Markup:
    """JSON that ends no script element."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return Markup(text.replace("<", "\\u003c"))  # noqa: S704
