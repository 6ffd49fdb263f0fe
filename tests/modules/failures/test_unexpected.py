"""Tests of unexpected: the line and the log of an exception that nobody foresaw."""

import stat
from pathlib import Path

import pytest

from efficientmixnet.modules.failures.unexpected import explain_unexpected, one_line


def _raised(error: Exception) -> Exception:
    try:
        raise error
    except Exception as caught:
        return caught


def test_the_line_names_the_error_and_the_log_that_holds_the_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    line = explain_unexpected(_raised(KeyError("layers")))
    (log,) = tmp_path.iterdir()
    assert line == f"unexpected KeyError: 'layers'; please report it with the traceback in {log}"
    assert "in _raised" in log.read_text()
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_the_traceback_is_appended_to_a_given_log(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    log.write_text("before\n")
    assert explain_unexpected(_raised(ValueError("x")), log).endswith(f"the traceback in {log}")
    assert log.read_text().startswith("before\nTraceback")


def test_without_a_place_for_the_log_the_line_says_how_to_see_the_traceback(tmp_path: Path) -> None:
    line = explain_unexpected(_raised(MemoryError()), tmp_path / "none" / "log.txt")
    assert line == "unexpected MemoryError; please report it with the traceback, which --verbose prints"


def test_a_long_message_of_many_lines_becomes_one_short_line() -> None:
    assert one_line(ValueError("a\n\n  b\r\nc")) == "ValueError: a b c"
    assert len(one_line(ValueError("x" * 10**6))) < 600


def test_characters_that_control_a_terminal_are_escaped() -> None:
    assert one_line(ValueError("a\x1b[2Jb\u202e\ud800ü")) == "ValueError: a\\u001b[2Jb\\u202e\\ud800ü"
