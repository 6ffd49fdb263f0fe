"""The model card (Mitchell et al., 2019, arXiv 1810.03993): the facts of a report, as Markdown and as HTML."""

import html
import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
import markdown

from efficientmixnet.components.evaluator.metric_names import METRICS
from efficientmixnet.components.report.page import number, percent

CARD_FILES = ("MODEL_CARD.md", "model_card.html")
_FOLDER = Path(__file__).parent
_WEAKEST = 3
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>{style}</style>
</head>
<body><main>{body}</main></body>
</html>
"""


def model_card(content: Mapping[str, Any], run: Mapping[str, Any], version: str) -> tuple[str, str]:
    """Returns the model card of a pushed version, as Markdown and as HTML that loads nothing.

    Args:
        content: The report's content, as write_report writes it.
        run: The run's summary (pipeline/runs/run_summary.py).
        version: The version of the pushed model.
    """
    environment = jinja2.Environment(  # noqa: S701  Markdown; outside text goes through the filter `text`
        loader=jinja2.FileSystemLoader(_FOLDER), trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.filters |= {"number": number, "percent": percent, "text": text}
    measured = [one for one in content["classes"] if one["recall"]["value"] is not None]
    weakest = sorted(measured, key=lambda one: one["recall"]["value"])[:_WEAKEST]
    card = environment.get_template("model_card.md").render(
        **content,
        run=run,
        version=version,
        metric_names=METRICS,
        weakest=[one for one in weakest if one["recall"]["value"] < 1],
    )
    card = re.sub(r"\n{3,}", "\n\n", card)
    body = markdown.markdown(card, extensions=["tables"])
    title = html.escape(f"{content['config']['name']} {version}")
    style = (_FOLDER / "page.css").read_text(encoding="utf-8")
    return card, _PAGE.format(title=title, style=style, body=body)


def text(value: str) -> str:
    """Returns the value escaped for Markdown. Text written right to left is isolated from its neighbors."""
    plain = re.sub(r"([\\`*_{}\[\]#|~])", r"\\\1", html.escape(str(value), quote=False))
    leftwards = any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in plain)
    return f"\u2068{plain}\u2069" if leftwards else plain
