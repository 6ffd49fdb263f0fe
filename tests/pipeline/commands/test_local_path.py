"""Tests of local_path: the name of the option in the message."""

from pathlib import Path

import click
import pytest

from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.pipeline.commands.local_path import LocalPath


def test_a_local_path_is_returned_and_a_url_is_refused() -> None:
    kind = LocalPath(path_type=Path)
    assert kind.convert("a:/b", None, None) == Path("a:/b")
    with pytest.raises(BadInput, match=r"^--page: s3://a/b is in an object store; give a path on this machine$"):
        kind.convert("s3://a/b", click.Option(["--page"]), None)
    with pytest.raises(BadInput, match=r"^FILE: gs://a/b is in an object store"):
        kind.convert("gs://a/b", click.Argument(["file"]), None)
