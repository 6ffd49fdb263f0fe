"""Fingerprints and sizes of sources."""

import os
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from efficientmixnet.components.image_example_gen import files
from efficientmixnet.components.image_example_gen.files import open_file, read_bytes
from efficientmixnet.components.image_example_gen.sources import Sources, find_images
from efficientmixnet.modules.exceptions import BadInput

SPLITS = frozenset({"train", "eval"})


def _write(path: Path, content: str = "image") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def _manifest(data: Path, text: str, encoding: str = "utf-8") -> Sources:
    manifest = data.parent / "list.csv"
    manifest.write_text(text, encoding=encoding)
    return find_images(str(data), str(manifest), SPLITS)


def test_the_fingerprint_ignores_files_that_are_not_images(folder: Path) -> None:
    first = find_images(str(folder), None, SPLITS).fingerprint
    _write(folder / "cat/.hidden")
    _write(folder / "notes.txt")
    assert find_images(str(folder), None, SPLITS).fingerprint == first


@pytest.mark.parametrize("change", ["size only", "time only", "added", "removed", "renamed", "other class"])
def test_the_fingerprint_changes_with_every_image(folder: Path, change: str) -> None:
    first = find_images(str(folder), None, SPLITS).fingerprint
    image = folder / "cat/1.png"
    before = image.stat().st_mtime_ns
    if change == "size only":
        image.write_text("another image")
        os.utime(image, ns=(before, before))
    elif change == "time only":
        image.write_text("erutcip")
        os.utime(image, ns=(before + 1_000_000, before + 1_000_000))
    elif change == "added":
        _write(folder / "cat/3.png")
    elif change == "removed":
        image.unlink()
    elif change == "renamed":
        image.rename(folder / "cat/one.png")
    else:
        image.rename(folder / "dog/one.png")
    assert find_images(str(folder), None, SPLITS).fingerprint != first


def test_the_fingerprint_changes_with_a_label_or_split_of_the_manifest(folder: Path) -> None:
    texts = (
        "path,label,split\ncat/1.png,cat,\ndog/1.png,dog,\ndog/2.png,dog,\n",
        "path,label,split\ncat/1.png,cat,\ndog/1.png,dog,\ndog/2.png,cat,\n",
        "path,label,split\ncat/1.png,cat,\ndog/1.png,dog,\ndog/2.png,dog,eval\n",
    )
    assert len({_manifest(folder, text).fingerprint for text in texts}) == 3


def test_the_fingerprint_changes_with_what_is_left_out(folder: Path) -> None:
    good = "path,label,split\ncat/1.png,cat,\ncat/2.png,cat,\ndog/1.png,dog,\n"
    lost = ("", "cat/missing.png,cat,\n", "cat/gone.png,cat,\n", "dog/2.png,dog,unknown\n")
    assert len({_manifest(folder, good + row).fingerprint for row in lost}) == 4


def test_the_fingerprint_changes_with_a_pipe_and_with_a_shard_that_cannot_be_read(folder: Path, write: Any) -> None:
    before = find_images(str(folder), None, SPLITS).fingerprint
    os.mkfifo(folder / "cat/3.png")
    assert find_images(str(folder), None, SPLITS).fingerprint != before
    shards = folder.parent / "shards"
    write.tar(shards / "0.tar", {"0.jpg": b"p", "0.cls": b"cat", "1.jpg": b"q", "1.cls": b"dog"})
    before = find_images(str(shards), None, SPLITS).fingerprint
    (shards / "1.tar").write_bytes((shards / "0.tar").read_bytes()[:300])
    assert find_images(str(shards), None, SPLITS).fingerprint != before


def test_the_size_is_the_sum_of_all_files(folder: Path) -> None:
    assert find_images(str(folder), None, SPLITS).bytes == 4 * len("image")


def test_a_large_file_is_left_out(folder: Path) -> None:
    _write(folder / "cat/large.png", "p" * 1001)
    sources = find_images(str(folder), None, SPLITS, max_image_bytes=1000)
    assert [item.row() for item in sources.left_out] == [
        ("cat/large.png", "has 1,001 bytes, over the limit (data.max_image_bytes: 1000)")
    ]


@pytest.mark.parametrize("content", ["other", "longer than it was"])
def test_a_file_that_changed_after_it_was_listed_is_not_read(folder: Path, content: str) -> None:
    entry = find_images(str(folder), None, SPLITS).entries[0]
    assert read_bytes(entry) == b"image"
    _write(folder / entry.name, content)
    os.utime(folder / entry.name, (1, 1))
    with pytest.raises(OSError, match="it has changed since the images were listed"):
        read_bytes(entry)


def test_an_object_that_changed_after_it_was_listed_is_not_read(shelf: dict[str, bytes]) -> None:
    shelf |= {"shelf://b/data/cat/1.jpg": b"one", "shelf://b/data/dog/1.jpg": b"two"}
    entry = find_images("shelf://b/data", None, SPLITS).entries[0]
    shelf[entry.path] = b"three"
    with pytest.raises(OSError, match="it has changed since the images were listed"):
        read_bytes(entry)


def test_images_of_another_fingerprint_are_refused(folder: Path) -> None:
    first = find_images(str(folder), None, SPLITS)
    first.stop_if_changed(first.fingerprint, "images")
    (folder / "cat/1.png").unlink()
    with pytest.raises(BadInput, match=r"images: the images are not those that this run listed at its start"):
        find_images(str(folder), None, SPLITS).stop_if_changed(first.fingerprint, "images")


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are opened."""
    names: list[str] = []

    def opening(path: str) -> BinaryIO:
        names.append(Path(path).name)
        return open_file(path)

    monkeypatch.setattr(files, "open_file", opening)
    return names


def test_a_file_in_no_split_is_opened_only_if_its_suffix_is_unknown(tmp_path: Path, opened: list[str]) -> None:
    for name in ("cat/train/0.png", "cat/test/0.png", "dog/train/0.png", "dog/test/0.png"):
        _write(tmp_path / name)
    _write(tmp_path / "dog" / "stray.png", "these are cats")
    _write(tmp_path / "dog" / "stray", "these are cats")
    sources = find_images(str(tmp_path), None, SPLITS)
    found = [(*item.row(), item.counts) for item in sources.left_out]
    assert found == [("dog/stray", "is in no split", False), ("dog/stray.png", "is in no split", True)]
    assert opened == ["stray"]


def test_a_file_beside_shards_is_opened_only_if_its_suffix_is_unknown(
    tmp_path: Path, opened: list[str], write: Any
) -> None:
    write.tar(tmp_path / "0.tar", {"0.jpg": b"p", "0.cls": b"cat", "1.jpg": b"q", "1.cls": b"dog"})
    _write(tmp_path / "index.json")
    _write(tmp_path / "README")
    sources = find_images(str(tmp_path), None, SPLITS)
    assert [(item.name, item.counts) for item in sources.left_out] == [("README", False)]
    assert sources.skipped == {".json": 1}
    assert [name for name in opened if name != "0.tar"] == ["README"]  # the reader opens the shard
