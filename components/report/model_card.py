"""The model card (Mitchell et al., 2019, arXiv 1810.03993): a report's facts in two pages, as Markdown and HTML."""

import html
import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
import markdown

from efficientmixnet.components.report.page import NAMES, number, share

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
    """The card of a pushed version, as Markdown and as HTML that loads nothing."""
    environment = jinja2.Environment(  # noqa: S701  Markdown; what comes from outside goes through `text`
        loader=jinja2.FileSystemLoader(_FOLDER), trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.filters |= {"number": number, "share": share, "text": text}
    measured = [one for one in content["classes"] if one["recall"]["value"] is not None]
    weakest = sorted(measured, key=lambda one: one["recall"]["value"])[:_WEAKEST]
    card = environment.get_template("model_card.md").render(
        **content, run=run, version=version, names=NAMES, weakest=[one for one in weakest if one["recall"]["value"] < 1]
    )
    card = re.sub(r"\n{3,}", "\n\n", card)
    body = markdown.markdown(card, extensions=["tables"])
    title = html.escape(f"{content['config']['name']} {version}")
    style = (_FOLDER / "page.css").read_text(encoding="utf-8")
    return card, _PAGE.format(title=title, style=style, body=body)


def text(value: str) -> str:
    """Anything as plain text in Markdown, in a table too; one that runs from right to left moves nothing beside it."""
    plain = re.sub(r"([\\`*_{}\[\]#|~])", r"\\\1", html.escape(str(value), quote=False))
    leftwards = any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in plain)
    return f"\u2068{plain}\u2069" if leftwards else plain
