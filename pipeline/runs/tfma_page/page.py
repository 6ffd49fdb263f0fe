"""render: an HTML page with TFMA's web components and their data."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import files
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

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
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(_FOLDER), autoescape=True)
    data = json.dumps([{"config": view.config, "data": view.data} for view in views], default=str)
    return environment.get_template("page.html").render(
        name=name,
        views=views,
        data=Markup(data.replace("<", "\\u003c")),  # noqa: S704  The text cannot end the script element.
        google_chart=Markup((_FOLDER / "google_chart.js").read_text(encoding="utf-8")),  # noqa: S704
        tfma=Markup(_bundle()),  # noqa: S704  from the installed package
    )


def _bundle() -> str:
    """TFMA's JavaScript from the installed package, without addresses to load from."""
    found = (file for file in files("tensorflow-model-analysis") or () if file.name == "vulcanized_tfma.js")
    script = Path(str(next(found).locate())).read_text(encoding="utf-8")
    for address in _REMOTE:
        script = script.replace(address, "data:text/plain,")
    return script.replace("</script", "<\\/script")
