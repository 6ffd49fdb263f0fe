"""Tests of refused_by_system: errors that the operating system raises here."""

import errno
import shutil
from pathlib import Path

import pytest

from efficientmixnet.modules.failures.refused_by_system import refused_by_system


def _error(path: Path, mode: str = "r") -> OSError:
    with pytest.raises(OSError) as raised:
        path.open(mode)
    return raised.value


def test_a_name_that_is_too_long_is_named_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / ("a" * 300)
    assert refused_by_system(_error(path)) == f"{path}: File name too long; give a shorter path"


def test_a_link_to_itself_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("a")
    expected = f"{tmp_path}/a: Too many levels of symbolic links; give a path that is not a link to itself"
    assert refused_by_system(_error(tmp_path / "a")) == expected


def test_a_full_disk_is_named_also_in_the_words_of_a_library() -> None:
    with pytest.raises(OSError) as raised:
        Path("/dev/full").write_text("text")
    cure = "free some space, then run the command again"
    assert refused_by_system(raised.value) == f"No space left on device; {cure}"
    error = RuntimeError("RESOURCE_EXHAUSTED: /a/images.gz; No space left on device")
    assert refused_by_system(error) == f"the disk is full (No space left on device); {cure}"


def test_a_refused_file_is_named_on_one_line() -> None:
    error = PermissionError(errno.EACCES, "Permission denied", "a\nb")
    cure = "change its permissions, or give a path that you can read and write"
    assert refused_by_system(error) == f"a\\nb: Permission denied; {cure}"


def test_a_deleted_current_folder_is_the_reason_of_a_missing_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    shutil.rmtree(tmp_path / "here")
    with pytest.raises(FileNotFoundError) as raised:
        Path.cwd()
    found = refused_by_system(raised.value)
    assert found == "the current folder was deleted or moved; change to a folder that exists, with cd"


@pytest.mark.parametrize("error", [FileNotFoundError(2, "No such file", "a"), KeyError("a"), OSError("a"), OSError(5)])
def test_other_errors_are_unexpected(error: Exception) -> None:
    assert refused_by_system(error) is None
