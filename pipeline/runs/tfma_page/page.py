"""Renders TFMA's elements with their data: slicing metrics, plots, and metrics over runs."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import files
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

_FOLDER = Path(__file__).parent
# What the bundle would load from the network: fonts, and the charts that google_chart.js draws instead.
_REMOTE = ("https://www.gstatic.com/charts/loader.js", "https://fonts.googleapis.com/css")


@dataclass(frozen=True)
class View:
    """One of TFMA's elements, such as tfma-nb-plot, with what tensorflow_model_analysis.view.util made for it."""

    title: str
    element: str
    config: Any
    data: Any


def render(name: str, views: Sequence[View]) -> str:
    """The page as HTML; `name` says whose metrics it shows."""
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(_FOLDER), autoescape=True)
    data = json.dumps([{"config": view.config, "data": view.data} for view in views], default=str)
    return environment.get_template("page.html").render(
        name=name,
        views=views,
        data=Markup(data.replace("<", "\\u003c")),  # noqa: S704  no element can end in it
        google_chart=Markup((_FOLDER / "google_chart.js").read_text(encoding="utf-8")),  # noqa: S704
        tfma=Markup(_bundle()),  # noqa: S704  TFMA's own file
    )


def _bundle() -> str:
    """TFMA's elements, from the installed package, with nothing left to load."""
    found = (file for file in files("tensorflow-model-analysis") or () if file.name == "vulcanized_tfma.js")
    script = Path(str(next(found).locate())).read_text(encoding="utf-8")
    for address in _REMOTE:
        script = script.replace(address, "data:text/plain,")
    return script.replace("</script", "<\\/script")
