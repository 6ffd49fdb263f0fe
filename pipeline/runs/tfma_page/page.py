"""render: an HTML page with TFMA's web components and their data."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import files
from pathlib import Path
from typing import Any

from markupsafe import Markup

from efficientmixnet.components.report.html_page import own_file, own_text, page_environment, policy, shown

_FOLDER = Path(__file__).parent
# TFMA loads these from the network: fonts, and Google Charts, which google_chart.js replaces.
_REMOTE = ("https://www.gstatic.com/charts/loader.js", "https://fonts.googleapis.com/css")


@dataclass(frozen=True)
class View:
    """A web component of TFMA, such as tfma-nb-plot, with its data from tensorflow_model_analysis.view.util."""

    title: str
    element: str
    config: Any
    data: Any


def render(name: str, views: Sequence[View]) -> str:
    """Returns the page.

    Args:
        name: The name of the run, for the title.
        views: The web components, in order.
    """
    scripts = {
        "google_chart": own_file(_FOLDER / "google_chart.js"),
        "tfma": own_text(_bundle()),  # from the installed package
        "show_views": own_file(_FOLDER / "show_views.js"),
    }
    data = json.dumps(shown([{"config": view.config, "data": view.data} for view in views]), default=str)
    template = page_environment(_FOLDER).get_template("page.html")
    return template.render(
        name=name,
        views=views,
        data=Markup(data.replace("<", "\\u003c")),  # noqa: S704  The text cannot end the script element.
        # Polymer, which TFMA is built with, adds style elements, and a link in the place of a font's address.
        policy=policy(list(scripts.values()), style_src="'unsafe-inline' data:"),
        **scripts,
    )


def _bundle() -> str:
    """TFMA's JavaScript from the installed package, without addresses to load from."""
    found = (file for file in files("tensorflow-model-analysis") or () if file.name == "vulcanized_tfma.js")
    script = Path(str(next(found).locate())).read_text(encoding="utf-8")
    for address in _REMOTE:
        script = script.replace(address, "data:text/plain,")
    return script.replace("</script", "<\\/script")
