"""open_page: opens a page in a browser."""

from pathlib import Path

import click

from efficientmixnet.pipeline.terminal import echo


def open_page(page: Path) -> None:
    """Opens an HTML file in a browser, or says that none could be started."""
    if click.launch(page.resolve().as_uri()):
        echo(f"no browser could be started (xdg-open); open {page} in one", err=True)
