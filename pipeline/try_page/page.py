"""Page: the HTML page of `efficientmixnet try`, with its policy."""

from dataclasses import dataclass
from pathlib import Path

from efficientmixnet.components.report.html_page import PAGE_STYLE, own_file, page_environment, policy, style_sheet

_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Page:
    """The page, and the Content-Security-Policy that the server sends with it."""

    html: str
    policy: str


def render(model: str, classes: int, most_bytes: int) -> Page:
    """Returns the page.

    Args:
        model: The folder of the model, for the title.
        classes: The number of its classes.
        most_bytes: The size of the largest image that the server takes.
    """
    style, script = style_sheet(PAGE_STYLE, _FOLDER / "page.css"), own_file(_FOLDER / "page.js")
    template = page_environment(_FOLDER).get_template("page.html")
    html = template.render(model=model, classes=classes, most_bytes=most_bytes, style=style, script=script)
    allowed = policy([script], [style], connect_src="'self'", img_src="data:", frame_ancestors="'none'")
    return Page(html, allowed)
