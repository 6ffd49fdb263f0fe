"""A command refuses a file that it could not write at its end."""

from pathlib import Path

import pytest

from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.files.whole_file import write_text
from efficientmixnet.pipeline.check_writable import check_writable


@pytest.mark.parametrize("name", ["a" * 240, "new/" + "a" * 240, "é" * 120])
def test_the_longest_name_that_is_accepted_can_be_written(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    check_writable("--page", file)
    file.parent.mkdir(exist_ok=True)
    write_text(file, "content")
    assert file.read_text() == "content"


@pytest.mark.parametrize("name", ["a" * 241, "é" * 120 + "a", "a" * 300, "a" * 241 + "/b"])
def test_a_longer_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput, match=r"^--page .*: the name is too long; give one of at most 240 bytes$"):
        check_writable("--page", tmp_path / name)


def test_a_folder_and_a_file_below_a_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is a folder; give a file in it"):
        check_writable("--page", tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(BadInput, match="is not a folder that you can write to"):
        check_writable("--page", tmp_path / "file" / "page.html")


def test_a_device_is_accepted() -> None:
    check_writable("--output", Path("/dev/null"))
