"""Tests of files and folders that appear only when they are complete."""

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from efficientmixnet.modules.files.whole_file import remove_leftovers, whole_file, whole_path, write_text


def test_a_file_keeps_its_old_content_until_the_new_one_is_complete(tmp_path: Path) -> None:
    file = tmp_path / "summary.json"
    file.write_text("old")
    with whole_file(file, encoding="utf-8") as new:
        new.write("né")
        new.flush()
        assert file.read_text() == "old"
    assert file.read_bytes() == b"n\xc3\xa9"
    assert os.listdir(tmp_path) == ["summary.json"]


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "summary.json"
    file.write_text("old")
    with pytest.raises(KeyboardInterrupt), whole_file(file) as new:
        new.write("half")
        raise KeyboardInterrupt
    assert file.read_text() == "old"
    assert os.listdir(tmp_path) == ["summary.json"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text("old")

    def write_to_full_disk() -> None:
        with whole_path(file) as part:
            part.symlink_to("/dev/full")
            part.write_text("new")

    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
        write_to_full_disk()
    assert file.read_text() == "old"
    assert os.listdir(tmp_path) == ["report.html"]


def test_a_killed_write_leaves_the_old_file_and_the_next_one_removes_its_part(tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text("old")
    kill = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    program = (
        "import sys; from efficientmixnet.modules.files.whole_file import whole_file\n"
        f"with whole_file(sys.argv[1]) as new: new.write('half'); new.flush(); {kill}"
    )
    assert subprocess.run([sys.executable, "-c", program, str(file)], check=False).returncode == -9  # noqa: S603
    assert file.read_text() == "old"
    (leftover,) = tmp_path.glob(".report.html.*.part")
    assert (leftover / "report.html.part").read_text() == "half"
    (tmp_path / ".report.html.part").write_text("half")  # of an earlier version
    (tmp_path / ".report.html.tar.part").write_text("of someone else")
    write_text(file, "new")
    assert file.read_text() == "new"
    assert sorted(os.listdir(tmp_path)) == [".report.html.tar.part", "report.html"]


def test_of_two_writers_at_the_same_time_the_last_one_wins(tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    with whole_file(file) as first:
        first.write("first")
        with whole_file(file) as second:
            second.write("second")
        remove_leftovers(tmp_path)
        assert file.read_text() == "second"
    assert file.read_text() == "first"
    assert os.listdir(tmp_path) == ["report.html"]


def test_processes_that_write_the_same_file_all_succeed(tmp_path: Path) -> None:
    file = tmp_path / "tfma.html"
    program = (
        "import sys; from efficientmixnet.modules.files.whole_file import write_text\n"
        "for _ in range(100): write_text(sys.argv[1], sys.argv[2] * 1000)"
    )
    writers = [subprocess.Popen([sys.executable, "-c", program, str(file), text]) for text in "abc"]  # noqa: S603
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    assert file.read_text() in {text * 1000 for text in "abc"}
    assert os.listdir(tmp_path) == ["tfma.html"]


def test_a_folder_appears_with_all_its_files(tmp_path: Path) -> None:
    folder = tmp_path / "7"
    with whole_path(folder) as part:
        (part / "variables").mkdir(parents=True)
        (part / "variables" / "data").write_text("weights")
        assert not folder.exists()
    assert (folder / "variables" / "data").read_text() == "weights"
    assert os.listdir(tmp_path) == ["7"]


def test_a_folder_that_exists_is_not_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "7"
    folder.mkdir()
    (folder / "old").touch()

    def write_again() -> None:
        with whole_path(folder) as part:
            part.mkdir()
            (part / "new").touch()

    with pytest.raises(OSError, match=os.strerror(errno.ENOTEMPTY)):
        write_again()
    assert os.listdir(folder) == ["old"]
    assert os.listdir(tmp_path) == ["7"]


def test_a_private_file_stays_private(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.touch(0o600)
    write_text(file, "secret")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_target_of_a_link_is_replaced_and_not_the_link(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("old")
    (tmp_path / "link").symlink_to("target")
    write_text(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_text() == "new"


def test_a_device_is_written_to_and_not_replaced() -> None:
    write_text("/dev/null", "text")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
