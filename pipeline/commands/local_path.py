"""LocalPath: a path of the command line to write to, which is not a URL."""

import os
from typing import Any

import click

from efficientmixnet.modules.exceptions import BadInput


class LocalPath(click.Path):
    """A path on this machine. click.Path reads s3://bucket as a folder `s3:` in the current folder."""

    def convert(
        self, value: str | os.PathLike[str], param: click.Parameter | None, ctx: click.Context | None
    ) -> str | bytes | os.PathLike[str]:
        """Returns the path.

        Raises:
            BadInput: It is a URL.
        """
        if "://" in str(value):
            name: Any = param.opts[0] if isinstance(param, click.Option) else str(param and param.human_readable_name)
            raise BadInput(f"{name}: {value} is in an object store; give a path on this machine")
        return super().convert(value, param, ctx)
