"""Splits, fingerprints and sizes of sources."""

import os
from collections import Counter
from pathlib import Path

import pytest

from efficientmixnet.components.image_example_gen.files import read_bytes
from efficientmixnet.components.image_example_gen.sources import Entry, Sources, find_images, split_of
from efficientmixnet.modules.exceptions import BadInput

SPLITS = frozenset({"train", "eval"})
FRACTIONS = {"train": 0.8, "eval": 0.2}


def _write(path: Path, content: str = "image") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def _manifest(data: Path, text: str, encoding: str = "utf-8") -> Sources:
    manifest = data.parent / "list.csv"
    manifest.write_text(text, encoding=encoding)
    return find_images(str(data), str(manifest), SPLITS)


def test_the_manifest_decides_the_split() -> None:
    assert split_of(Entry("/1", "1", "cat", "eval"), {"train": 1.0, "eval": 1e-9}) == "eval"


def test_splits_have_the_requested_fractions() -> None:
    fractions = {"train": 0.7, "eval": 0.2, "test": 0.1}
    counts = Counter(split_of(Entry("", f"class/{number}.png", ""), fractions) for number in range(10_000))
    # The standard deviation of a fraction is below 0.005.
    assert {split: round(count / 10_000, 4) for split, count in counts.items()} == pytest.approx(fractions, abs=0.015)


def test_fractions_need_not_add_up_to_one() -> None:
    entries = [Entry("", f"class/{number}.png", "") for number in range(500)]
    percent = [split_of(entry, {"train": 80, "eval": 20}) for entry in entries]
    assert percent == [split_of(entry, FRACTIONS) for entry in entries]


def test_an_image_keeps_its_split_when_others_are_added_or_removed(folder: Path) -> None:
    for number in range(50):
        _write(folder / f"cat/{number}.png")
    before = {e.name: split_of(e, FRACTIONS) for e in find_images(str(folder), None, SPLITS).entries}
    for number in range(50):
        _write(folder / f"ant/{number}.png")
        _write(folder / f"cat/a{number}.png")
    (folder / "cat/7.png").unlink()
    after = {e.name: split_of(e, FRACTIONS) for e in find_images(str(folder), None, SPLITS).entries}
    assert set(before.values()) == {"train", "eval"}
    assert {name: after[name] for name in before if name in after} == {
        name: split for name, split in before.items() if name != "cat/7.png"
    }


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
