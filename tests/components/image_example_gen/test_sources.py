"""Fingerprints and sizes of sources."""

import os
from pathlib import Path

import pytest

from efficientmixnet.components.image_example_gen.sources import Sources, find_images

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


def test_the_size_is_the_sum_of_all_files(folder: Path) -> None:
    assert find_images(str(folder), None, SPLITS).bytes == 4 * len("image")
