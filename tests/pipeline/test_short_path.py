"""Tests of short_path."""

from pathlib import Path

import pytest

from efficientmixnet.pipeline.short_path import short_path


def test_a_path_below_the_current_folder_is_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert short_path(f"{tmp_path}/runs/1") == "runs/1"


def test_another_path_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert short_path(f"{tmp_path}-2/runs") == f"{tmp_path}-2/runs"


def test_a_path_that_would_be_an_option_stays_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert short_path(f"{tmp_path}/-v") == f"{tmp_path}/-v"


def test_a_current_folder_that_is_gone_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert short_path("/runs/1") == "/runs/1"
