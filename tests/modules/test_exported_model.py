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
