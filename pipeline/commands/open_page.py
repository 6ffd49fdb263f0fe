"""open_page: opens a page in a browser."""

from pathlib import Path

import click

from efficientmixnet.pipeline.terminal import echo


def open_page(page: Path) -> None:
    """Opens an HTML file in a browser, or says that the program for it is missing, as on most servers."""
    if click.launch(page.resolve().as_uri()):
        echo(f"this machine has no program to open pages; open {page} in a browser", err=True)
