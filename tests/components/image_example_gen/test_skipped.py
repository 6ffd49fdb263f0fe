"""Files and folders that are not images are skipped and counted."""

from pathlib import Path

import pytest

from efficientmixnet.components.image_example_gen.skipped import in_words
from efficientmixnet.components.image_example_gen.sources import find_images

SPLITS = frozenset({"train", "eval"})


def _write(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("image")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("cat/@eaDir/1.jpg/SYNOPHOTO_THUMB_M.jpg", "@eaDir"),
        ("@eaDir/x.jpg", "@eaDir"),
        ("cat/.@__thumb/1.jpg", "hidden"),
        ("#recycle/1.jpg", "#recycle"),
        ("cat/Thumbs.db", "Thumbs.db"),
        ("cat/thumbs.DB", "thumbs.DB"),
        ("desktop.ini", "desktop.ini"),
        ("__MACOSX/cat/._1.jpg", "__MACOSX"),
        ("cat/.ipynb_checkpoints/1-checkpoint.png", "hidden"),
        ("lost+found/1.png", "lost+found"),
        (".git/1.png", "hidden"),
        ("cat/.DS_Store", "hidden"),
        ("cat/Icon\r", "Icon"),
        ("cat/1.XML", ".xml"),
        ("inspection.html", ".html"),
        ("runs/.efficientmixnet", "output of runs"),
    ],
)
def test_files_that_are_not_images_are_skipped_and_counted(folder: Path, name: str, kind: str) -> None:
    _write(folder / name)
    sources = find_images(str(folder), None, SPLITS)
    assert dict(sources.labels) == {"cat": 2, "dog": 2}
    assert sources.left_out == ()
    assert sources.skipped == {kind: 1}


def test_thumbnails_in_an_object_store_are_skipped(shelf: dict[str, bytes]) -> None:
    for name in ("cat/1.jpg", "dog/1.jpg", "cat/@eaDir/1.jpg/M.jpg", "cat/@eaDir/1.jpg/S.jpg", "dog/.git/x/1.jpg"):
        shelf[f"shelf://b/data/{name}"] = b"image"
    sources = find_images("shelf://b/data", None, SPLITS)
    assert dict(sources.labels) == {"cat": 1, "dog": 1}
    assert sources.skipped == {"@eaDir": 1, "hidden": 1}


def test_the_output_of_an_earlier_version_is_skipped(folder: Path) -> None:
    _write(folder / "old/metadata.sqlite")
    _write(folder / "old/artifacts/Trainer/1.png")
    assert find_images(str(folder), None, SPLITS).skipped == {"output of runs": 1}


def test_a_file_beside_shards_counts_unless_it_is_no_image(folder: Path, tmp_path: Path, write: object) -> None:
    shards = tmp_path / "shards"
    write.tar(shards / "0.tar", {"0.jpg": b"p", "0.cls": b"cat", "1.jpg": b"q", "1.cls": b"dog"})
    (shards / "1.tar.part").write_bytes(b"\0\1")
    _write(shards / "index.json")
    _write(shards / "README")
    sources = find_images(str(shards), None, SPLITS)
    assert [(item.name, item.counts) for item in sources.left_out] == [("1.tar.part", True), ("README", False)]
    assert sources.skipped == {".json": 1}


def test_counts_are_shown_largest_first() -> None:
    assert in_words({"@eaDir": 1, ".txt": 1200, "hidden": 1}) == "1,200 .txt, 1 @eaDir, 1 hidden"
