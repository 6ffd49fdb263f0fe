"""Files are found by names in any form of Unicode."""

import unicodedata
from pathlib import Path

import pytest

from efficientmixnet.components.image_example_gen.files import File
from efficientmixnet.components.image_example_gen.named_files import ListedFiles, find_named

COMPOSED, DECOMPOSED = "\u00e9.png", "e\u0301.png"


@pytest.mark.parametrize(
    "name", ["\u00e9/\u00fc.png", "e\u0301/u\u0308.png", "\u00e9/u\u0308.png", "./\u00e9/\u00fc.png"]
)
def test_each_folder_and_the_file_may_have_their_own_form(tmp_path: Path, name: str) -> None:
    stored = "e\u0301/\u00fc.png"
    (tmp_path / stored).parent.mkdir()
    (tmp_path / stored).write_text("image")
    found, file = find_named(str(tmp_path), name)
    assert (found, file and file.path) == (stored, f"{tmp_path}/{stored}")
    assert find_named("", f"{tmp_path}/{name}")[0] == f"{tmp_path}/{stored}"


def test_a_file_of_the_very_name_comes_first(tmp_path: Path) -> None:
    for name in (COMPOSED, DECOMPOSED):
        (tmp_path / name).touch()
    for name in (COMPOSED, DECOMPOSED):
        assert find_named(str(tmp_path), name)[0] == name
    files = [File(f"data/{name}", name, 1, "") for name in (COMPOSED, DECOMPOSED)]
    assert [ListedFiles(files).find(file.path) for file in files] == files


@pytest.mark.parametrize(
    "name", ["none.png", COMPOSED, "\0\u00e9", "\udc80", "x" * 5000, "\u00e9" * 5000, "\u00e9/" * 60_000, ""]
)
def test_a_name_without_a_file_stays_as_it_is(tmp_path: Path, name: str) -> None:
    assert find_named(str(tmp_path), name) == (name, None)


def test_an_object_is_found_in_another_form(shelf: dict[str, bytes]) -> None:
    shelf[f"shelf://web/{DECOMPOSED}"] = b"image"
    found, file = find_named("shelf://web", COMPOSED)
    assert (found, file and file.path) == (DECOMPOSED, f"shelf://web/{DECOMPOSED}")
    assert find_named("shelf://web", "none.png") == ("none.png", None)


@pytest.mark.parametrize("path", ["gs://b/data/./a/1.png", "gs://b/data/x/../a//1.png", "gs://b/data/a/1.png"])
def test_a_listed_file_is_found_by_another_path(path: str) -> None:
    file = File("gs://b/data/a/1.png", "a/1.png", 1, "")
    assert ListedFiles([file]).find(path) == file
    assert ListedFiles([file]).find(path.replace("data", "other")) is None
    assert unicodedata.normalize("NFC", DECOMPOSED) == COMPOSED
