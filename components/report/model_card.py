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
from efficientmixnet.components.report.html_page import policy, style_sheet
from efficientmixnet.components.report.page import number, percent
from efficientmixnet.modules.text.printable import printable

CARD_FILES = ("MODEL_CARD.md", "model_card.html")
_FOLDER = Path(__file__).parent
_WEAKEST = 3
# These, and what begins a list or a heading.
_SPECIAL = re.compile(r"[\\`{}~*_\[\]#|]|^[-+=\s]|^\d(?=\d*[.)](\s|$))")
_WITH_BACKSLASH = "*_[]#|"
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{title}</title>
<style>{style}</style>
</head>
<body><main>{body}</main></body>
</html>
"""


class _Markdown(str):
    """A text in which everything from outside is escaped."""


def model_card(content: Mapping[str, Any], run: Mapping[str, Any], version: str) -> tuple[str, str]:
    """Returns the model card of a pushed version, as Markdown and as HTML that loads nothing.

    Args:
        content: The report's content, as write_report writes it.
        run: The run's summary (pipeline/runs/run_summary.py).
        version: The version of the pushed model.
    """
    environment = jinja2.Environment(  # noqa: S701  `finalize` escapes every text for Markdown
        loader=jinja2.FileSystemLoader(_FOLDER),
        finalize=lambda value: text(value) if isinstance(value, str) and not isinstance(value, _Markdown) else value,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {"number": number, "percent": percent, "code": code}
    measured = [one for one in content["classes"] if one["recall"]["value"] is not None]
    weakest = sorted(measured, key=lambda one: one["recall"]["value"])[:_WEAKEST]
    card = environment.get_template("model_card.md").render(
        **{"test": None, **content},
        run=run,
        version=version,
        metric_names=METRICS,
        weakest=[one for one in weakest if one["recall"]["value"] < 1],
    )
    card = re.sub(r"\n{3,}", "\n\n", card)
    style = style_sheet(_FOLDER / "page.css")
    title = html.escape(printable(f"{content['config']['name']} {version}"))
    page = _PAGE.format(policy=html.escape(policy(styles=[style])), title=title, style=style, body=_as_html(card))
    return card, page


def text(value: str) -> str:
    """Returns the value escaped for Markdown. Text written right to left is isolated from its neighbors."""
    plain = html.escape(printable(value), quote=False)
    # Programs differ in where a backslash has an effect. Entities are the same in all of them, but hard to read.
    plain = _SPECIAL.sub(lambda found: f"\\{found[0]}" if found[0] in _WITH_BACKSLASH else f"&#{ord(found[0])};", plain)
    leftwards = any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in plain)
    return _Markdown(f"\u2068{plain}\u2069" if leftwards else plain)


def code(value: str) -> str:
    """Returns the value as a code span of Markdown."""
    plain = printable(value)
    ticks = "`" * (1 + max(map(len, re.findall("`+", plain)), default=0))
    space = " " if "`" in plain else ""
    return _Markdown(f"{ticks}{space}{plain}{space}{ticks}")


def _as_html(card: str) -> str:
    """Returns the card as HTML. Elements that are written in the Markdown stay text."""
    converter = markdown.Markdown(
        extensions=["tables"], extension_configs={"tables": {"use_align_attribute": True}}, output_format="html"
    )
    converter.preprocessors.deregister("html_block")
    converter.inlinePatterns.deregister("html")
    return str(converter.convert(card))
