"""Files that may hold secrets can be read only by their owner."""

import sqlite3
from pathlib import Path

from efficientmixnet.modules.files.private_file import make_private


def _mode(file: Path) -> int:
    return file.stat().st_mode & 0o777


def test_a_new_file_is_private_and_empty(tmp_path: Path) -> None:
    file = make_private(tmp_path / "new")
    assert (_mode(file), file.read_text()) == (0o600, "")


def test_a_file_that_exists_becomes_private_and_keeps_its_content(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("text")
    (tmp_path / "old").chmod(0o644)
    file = make_private(tmp_path / "old")
    assert (_mode(file), file.read_text()) == (0o600, "text")


def test_a_database_in_a_private_file_stays_private(tmp_path: Path) -> None:
    file = make_private(tmp_path / "metadata.sqlite")
    with sqlite3.connect(file) as database:
        database.execute("CREATE TABLE one (two TEXT)")
    assert file.stat().st_size > 0
    assert _mode(file) == 0o600
