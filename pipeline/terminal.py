"""Prints to the terminal. Text is never markup: only `styled` gives it a color."""

import json
import os
import sys
from typing import Any, TextIO

import click
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from efficientmixnet.modules.text.each_text import each_text
from efficientmixnet.modules.text.printable import printable
from efficientmixnet.modules.text.secrets import mask

_ENDLESS = 100_000  # columns


class PlainConsole(Console):
    """A console that prints every text, also in tables, as it is: without markup, emoji codes and control characters.

    Args:
        file: The stream; None: standard output.
        options: Further arguments of rich's Console.
    """

    def __init__(self, file: TextIO | None = None, **options: Any) -> None:
        super().__init__(file=file or sys.stdout, markup=False, emoji=False, highlight=False, **options)

    def render_str(self, text: str, **options: Any) -> Text:
        """Overrides Console: all text passes through here, except what is styled."""
        return super().render_str(printable(text), **{**options, "markup": False, "emoji": False})


def fits(console: Console, table: Table) -> bool:
    """Returns whether the console is wide enough for each word of a table, up to the columns' `max_width`."""
    endless = console.options.update(width=_ENDLESS)  # A measurement is at most as wide as its options.
    return bool(Measurement.get(console, endless, table).minimum <= console.width)


def styled(text: str, style: str) -> Text:
    """Returns text in a style, such as bold green."""
    return Text(printable(text), style)


def echo(line: str, *, err: bool = False, color: str | None = None) -> None:
    """Prints one line.

    Args:
        line: The line. Ends of lines within it are escaped.
        err: Whether it goes to standard error.
        color: The color on a terminal.
    """
    plain = bool(os.environ.get("NO_COLOR"))  # https://no-color.org, which rich honors by itself
    click.secho(printable(line), err=err, fg=None if plain else color)


def echo_json(value: Any, indent: int | None = None) -> None:
    """Prints a value as JSON, with *** for the secrets in its texts. In the whole line, a mask could hide a quote."""
    click.secho(json.dumps(each_text(value, mask), indent=indent))


def echo_error(message: str, color: str = "red") -> None:
    """Prints an error. Its further lines are indented, so that none of them looks like a message of ours."""
    first, *further = message.split("\n")
    echo(first, err=True, color=color)
    for line in further:
        echo(line if line.startswith("  ") else f"  {line}", err=True, color=color)
