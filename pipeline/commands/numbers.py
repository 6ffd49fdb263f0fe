"""Number: a number on the command line that is finite and in a range."""

import math
from typing import Any

import click


class Number(click.FloatRange):
    """A range of floating-point numbers without nan, which click.FloatRange takes for a number of every range."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Returns the number."""
        number = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value} is not a number.", param, ctx)
        return number
