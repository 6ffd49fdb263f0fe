"""HTML pages that load nothing and run only our own scripts, whatever the names and labels on them are."""

import base64
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from efficientmixnet.modules.text.each_text import each_text
from efficientmixnet.modules.text.printable import printable

PAGE_STYLE = Path(__file__).parent / "page.css"
"""The style sheet of the report, which other pages use too."""

# A page has no style attributes, which its policy forbids. These classes set the length of a bar.
_LENGTHS = "".join(f".w{percent}{{width:{percent}%}}.h{percent}{{height:{percent}%}}" for percent in range(101))


def page_environment(folder: Path) -> jinja2.Environment:
    """Returns the environment of the templates in a folder.

    Values are escaped, secrets are masked, and control characters are shown as escapes. Texts of this package, such as
    style sheets, must be Markup.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([folder, PAGE_STYLE.parent]),  # which has head.html
        autoescape=True,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["percentage"] = percentage
    return environment


def shown(value: Any) -> Any:
    """Returns a value as a page shows it: all texts in it without secrets and control characters."""
    return each_text(value, _shown)


def _shown(text: str) -> str:
    is_ours = isinstance(text, Markup) or text.startswith("data:image/")
    return text if is_ours else printable(text, keep="\n\t")


def style_sheet(*files: Path) -> Markup:
    """Returns the style sheet of a page: the files, and the classes w0 to w100 and h0 to h100 of bars."""
    return own_text("".join(file.read_text(encoding="utf-8") for file in files) + _LENGTHS)


def own_file(file: Path) -> Markup:
    """Returns the text of a file of this package, which is not escaped."""
    return own_text(file.read_text(encoding="utf-8"))


def own_text(text: str) -> Markup:
    """Marks a text that is not escaped. It must not come from outside."""
    return Markup(text)  # noqa: S704


def policy(scripts: Sequence[str] = (), styles: Sequence[str] = (), **more: str) -> str:
    """Returns a Content-Security-Policy under which only these scripts run.

    Args:
        scripts: The text of each script element.
        styles: The text of each style element.
        more: Further sources by directive, such as font_src="data:".
    """
    directives = {
        "default-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "img-src": "data:",
        "script-src": _hashes(scripts),
        "style-src": _hashes(styles),
        **{name.replace("_", "-"): sources for name, sources in more.items()},
    }
    return "; ".join(f"{name} {sources}" for name, sources in directives.items())


def as_json(value: Any) -> Markup:
    """Returns JSON that cannot end a script element."""
    text = json.dumps(shown(value), separators=(",", ":"), ensure_ascii=False)
    return own_text(text.replace("<", "\\u003c"))


def percentage(fraction: float) -> int:
    """0.126 -> 13, the number of the class of a bar"""
    return round(100 * min(max(fraction, 0), 1))


def _hashes(texts: Sequence[str]) -> str:
    digests = (hashlib.sha256(text.encode()).digest() for text in texts)
    return " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests) or "'none'"
