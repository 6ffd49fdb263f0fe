"""Entries of class folders."""

import os
import unicodedata
from collections import Counter
from pathlib import Path

import pytest

from efficientmixnet.components.image_example_gen.sources import LeftOut, find_images
from efficientmixnet.modules.exceptions import BadInput

SPLITS = frozenset({"train", "eval"})


def _write(path: Path, content: str = "image") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def _found(data: Path) -> dict[str, str]:
    return {entry.name: entry.label for entry in find_images(str(data), None, SPLITS).entries}


def test_a_folder_is_a_class(folder: Path) -> None:
    assert _found(folder) == {"cat/1.png": "cat", "cat/2.png": "cat", "dog/1.png": "dog", "dog/2.png": "dog"}


def test_images_in_nested_folders_belong_to_the_outermost_one(folder: Path) -> None:
    _write(folder / "cat/indoors/sofa/3.png")
    assert _found(folder)["cat/indoors/sofa/3.png"] == "cat"


def test_hidden_files_and_folders_are_ignored(folder: Path) -> None:
    for name in (".DS_Store", ".git/1.png", "cat/.hidden.png", "cat/.thumbnails/1.png"):
        _write(folder / name)
    sources = find_images(str(folder), None, SPLITS)
    assert len(sources.entries) == 4
    assert sources.left_out == ()


def test_a_class_name_keeps_its_spaces_and_accents(folder: Path) -> None:
    _write(folder / "große Bären à la carte/pré 1.png")
    assert _found(folder)["große Bären à la carte/pré 1.png"] == "große Bären à la carte"


def test_two_spellings_of_one_accent_are_one_class(folder: Path) -> None:
    composed, decomposed = (unicodedata.normalize(form, "bär") for form in ("NFC", "NFD"))
    assert composed != decomposed
    _write(folder / composed / "1.png")
    _write(folder / decomposed / "2.png")
    assert find_images(str(folder), None, SPLITS).labels == Counter(cat=2, dog=2, **{composed: 2})


def test_an_image_next_to_the_class_folders_is_left_out_and_counts(folder: Path) -> None:
    for name in ("LICENSE", "stray.jpg", "notes.txt"):
        _write(folder / name)
    (folder / "IMG_1.dng").write_bytes(b"II*\0\x08\0\0\0")
    sources = find_images(str(folder), None, SPLITS)
    assert sources.left_out == (
        LeftOut("IMG_1.dng", "is not in a class folder", counts=True),
        LeftOut("LICENSE", "is not in a class folder", counts=False),  # its content is text
        LeftOut("stray.jpg", "is not in a class folder", counts=True),
    )
    assert sources.skipped == {".txt": 1}


def test_a_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"data\.images: .*/none does not exist. Give the folder"):
        find_images(str(tmp_path / "none"), None, SPLITS)


def test_a_file_instead_of_a_folder_is_refused(tmp_path: Path) -> None:
    _write(tmp_path / "one.png")
    with pytest.raises(BadInput, match=r"one\.png is not a TFRecord, tar or Parquet file"):
        find_images(str(tmp_path / "one.png"), None, SPLITS)


@pytest.mark.parametrize("name", ["list.csv", "metadata.csv", "metadata.jsonl"])
def test_a_list_of_images_instead_of_a_folder_is_refused(tmp_path: Path, name: str) -> None:
    _write(tmp_path / "one.png")
    row = '{"file_name": "one.png", "label": "cat"}' if name.endswith("jsonl") else "file_name,label\none.png,cat"
    (tmp_path / name).write_text(row)
    with pytest.raises(BadInput, match=rf"{name} is not a .*Give a CSV or JSON lines file as data\.manifest"):
        find_images(str(tmp_path / name), None, SPLITS)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"has no images\. Put the images of each class into a folder"):
        find_images(str(tmp_path), None, SPLITS)


def test_images_without_class_folders_are_refused(tmp_path: Path) -> None:
    _write(tmp_path / "1.jpg")
    with pytest.raises(BadInput, match=r"has images but no class folders\. Put the images of each class"):
        find_images(str(tmp_path), None, SPLITS)


def test_a_single_class_is_refused(tmp_path: Path) -> None:
    _write(tmp_path / "cat/1.png")
    with pytest.raises(BadInput, match=r"only the class 'cat' has images\. A classifier needs two or more"):
        find_images(str(tmp_path), None, SPLITS)


def test_a_broken_link_is_left_out(folder: Path) -> None:
    (folder / "cat/broken.png").symlink_to("nowhere.png")
    sources = find_images(str(folder), None, SPLITS)
    assert [item.row() for item in sources.left_out] == [
        ("cat/broken.png", "cannot be read: No such file or directory")
    ]


def test_a_file_name_that_is_not_utf_8_is_left_out(folder: Path) -> None:
    Path(os.fsdecode(os.fsencode(folder / "cat") + b"/\xff.png")).write_text("image")
    sources = find_images(str(folder), None, SPLITS)
    assert [item.row() for item in sources.left_out] == [("cat/?.png", "has a name that is not UTF-8")]
