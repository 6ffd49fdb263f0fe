"""Tests of which folders are versions of a model."""

from pathlib import Path

import pytest

from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.exported_model import newest_version


def _version(folder: Path, name: str) -> None:
    (folder / name).mkdir()
    (folder / name / "saved_model.pb").touch()


def test_the_newest_version_has_the_highest_number(tmp_path: Path) -> None:
    for name in ("9", "10", "0003"):
        _version(tmp_path, name)
    assert newest_version(tmp_path).name == "10"


@pytest.mark.parametrize("name", ["²", "٩٩", "Ⅷ", "-7", "7.0", "1e9", ".99.part", "99.part", "pushing", " 99"])
def test_other_names_are_no_versions(tmp_path: Path, name: str) -> None:
    _version(tmp_path, name)
    with pytest.raises(BadInput, match="has no model"):
        newest_version(tmp_path)
    _version(tmp_path, "5")
    assert newest_version(tmp_path).name == "5"


@pytest.mark.parametrize(("name", "character"), [("a\udcff", "\\udcff"), ("a\x00", "\\x00")])
def test_a_folder_whose_name_is_not_text_is_refused(tmp_path: Path, name: str, character: str) -> None:
    with pytest.raises(BadInput) as raised:
        newest_version(tmp_path / name)
    expected = f"'{tmp_path}/a{character}': has a character that is not text ({character}); rename the folder"
    assert str(raised.value) == expected


def test_a_folder_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """An older version is not taken in place of one that may be the newest."""
    _version(tmp_path, "5")
    (tmp_path / "7").symlink_to("7")
    with pytest.raises(
        BadInput, match=r"/7/saved_model\.pb: cannot be read: Too many levels of symbolic links; give a"
    ):
        newest_version(tmp_path)
    with pytest.raises(BadInput, match="cannot be read: File name too long"):
        newest_version(tmp_path / ("a" * 300))


def test_the_folder_pushed_counts_if_there_is_no_version_beside_it(tmp_path: Path) -> None:
    (tmp_path / "pushed").mkdir()
    with pytest.raises(BadInput, match="has no model; name a folder that a run printed"):
        newest_version(tmp_path)
    _version(tmp_path / "pushed", "5")
    assert newest_version(tmp_path) == tmp_path / "pushed" / "5"
    (tmp_path / "file").touch()
    for missing in ("none", "file"):
        with pytest.raises(BadInput, match=f"/{missing}: has no model"):
            newest_version(tmp_path / missing)
