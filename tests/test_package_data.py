"""The wheel includes every data file that the code reads."""

import runpy
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import setuptools

REPOSITORY = Path(__file__).parents[1]
DATA = {".html", ".css", ".js", ".json", ".md"}


def test_every_data_file_is_in_the_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {}
    monkeypatch.setattr(setuptools, "setup", lambda **options: given.update(options))
    monkeypatch.chdir(REPOSITORY)
    runpy.run_path(str(REPOSITORY / "setup.py"))
    missing = [
        file
        for folder in ("modules", "components", "pipeline", "kubeflow")
        for file in (REPOSITORY / folder).rglob("*")
        if file.suffix in DATA
        and not any(
            fnmatch(file.name, pattern)
            for pattern in given["package_data"].get(
                f"efficientmixnet.{'.'.join(file.relative_to(REPOSITORY).parts[:-1])}", []
            )
        )
    ]
    assert missing == []
