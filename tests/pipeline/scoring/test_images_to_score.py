"""The images to score, and what says that one of them has changed."""

import os
import unicodedata
from pathlib import Path

import pytest

from efficientmixnet.pipeline.scoring.images_to_score import find_images


@pytest.mark.parametrize(("stored", "written"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_an_image_in_another_form_of_unicode_is_listed_as_the_manifest_names_it(
    tmp_path: Path, stored: str, written: str
) -> None:
    file = tmp_path / unicodedata.normalize(stored, "forêt/é.png")
    file.parent.mkdir()
    file.write_text("image")
    os.utime(file, ns=(0, 5))
    name = unicodedata.normalize(written, "forêt/é.png")
    (tmp_path / "list.csv").write_text(f"path\n{name}\n", encoding="utf-8")
    assert find_images(str(tmp_path), str(tmp_path / "list.csv")) == ({name: "5 5"}, [])
