"""A page is opened in a browser, if there is one."""

from pathlib import Path

import click
import pytest

from efficientmixnet.pipeline.commands.open_page import open_page


def test_a_page_is_opened_by_its_absolute_address(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(click, "launch", lambda address: opened.append(address) or 0)
    monkeypatch.chdir(tmp_path)
    open_page(Path("a page.html"))
    assert opened == [f"file://{tmp_path}/a%20page.html"]
    assert capsys.readouterr().err == ""


def test_a_machine_without_a_browser_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")  # no xdg-open
    open_page(Path("/runs/report.html"))
    assert capsys.readouterr().err == "this machine has no program to open pages; open /runs/report.html in a browser\n"
