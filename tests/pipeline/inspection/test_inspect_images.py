"""Tests of the counts of `efficientmixnet inspect`, and of its page."""

import re
import shutil
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from efficientmixnet.components.image_example_gen.entry import LeftOut
from efficientmixnet.components.image_example_gen.find_dataset import find_dataset
from efficientmixnet.components.image_example_gen.findings import Copy, Duplicates
from efficientmixnet.components.image_example_gen.layout import Layout
from efficientmixnet.components.image_example_gen.splits import Splits
from efficientmixnet.pipeline.inspection.inspect_images import SAMPLES, Inspection, inspect_images, side_buckets
from efficientmixnet.pipeline.inspection.page import render, size_in_words

SPLITS = {"train": 0.5, "eval": 0.5}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Inspection:
    """Twenty gray PNG files of cats, five JPEG files of dogs, a duplicate, and unusable files."""
    data = tmp_path_factory.mktemp("data")
    source = np.random.default_rng(0)
    for number in range(25):
        cat = number < 20
        path = data / ("<cat>" if cat else "dog") / f"{number}.{'png' if cat else 'jpg'}"
        path.parent.mkdir(exist_ok=True)
        shape = (31, 40) if cat else (300, 200, 3)
        Image.fromarray(source.integers(0, 256, shape, dtype=np.uint8)).save(path)
    shutil.copy(data / "<cat>/7.png", data / "dog/copy.png")
    whole = (data / "dog/20.jpg").read_bytes()
    (data / "dog/cut.jpg").write_bytes(whole[: len(whole) // 2])
    (data / "dog/empty.jpg").touch()
    (data / "dog/notes").write_text("dogs")
    Image.new("L", (400, 300)).save(data / "dog/huge.png")
    sources = find_dataset(str(data), None, Splits(SPLITS), Layout())
    return inspect_images(sources, Layout(), SPLITS, max_pixels=100_000)


def test_classes_formats_and_sizes_are_counted(found: Inspection) -> None:
    assert found.images == 26
    assert found.labels == ["<cat>", "dog"]
    assert {label: sum(counts[label] for counts in found.counts.values()) for label in found.labels} == {
        "<cat>": 20,
        "dog": 6,
    }
    assert found.formats == {"PNG L": 21, "JPEG RGB": 5}
    assert found.sizes == {(40, 31): 21, (200, 300): 5}
    assert list(side_buckets(found.sizes)) == [("16 to 31", 21), ("128 to 255", 5)]


def test_unusable_files_are_listed_with_the_reason(found: Inspection) -> None:
    assert sorted(item.row() for item in found.left_out) == [
        ("dog/cut.jpg", "is a truncated or corrupt JPEG file"),
        ("dog/empty.jpg", "has zero bytes"),
        ("dog/huge.png", "has 400 x 300 pixels, over the limit (data.max_pixels: 100000)"),
        ("dog/notes", "is not an image in a supported format"),
    ]


def test_a_duplicate_with_another_label_is_found(found: Inspection) -> None:
    assert [[copy.name for copy in group] for group in found.duplicates.of_two_labels] == [
        ["<cat>/7.png", "dog/copy.png"]
    ]


def test_dark_images_of_16_bits_are_near_duplicates_only_of_their_copies(tmp_path: Path) -> None:
    source = np.random.default_rng(0)
    for number in range(10):
        coarse = Image.fromarray(source.integers(0, 256, (8, 8), dtype=np.uint8)).resize((64, 64))
        dark = np.asarray(coarse).astype(np.uint16)  # 255 of 65535 at most
        for split, image in {"train": dark, "val": 2 * dark if number == 3 else dark[::-1]}.items():
            path = tmp_path / split / "ab"[number % 2] / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(path)
    sources = find_dataset(str(tmp_path), None, Splits(SPLITS), Layout())
    groups = inspect_images(sources, Layout(), SPLITS, max_pixels=10_000).near_duplicates.groups
    assert [[copy.name for copy in group] for group in groups] == [["train/b/3.png", "val/b/3.png"]]


def test_every_class_has_samples(found: Inspection) -> None:
    assert {label: len(sample) for label, sample in found.samples.items()} == {"<cat>": SAMPLES, "dog": 6}


def test_the_page_loads_no_other_files(found: Inspection) -> None:
    page = render("my data", found, ["a [note] & more"], None)
    assert page.count('src="data:image/jpeg;base64,') == SAMPLES + 6
    assert set(re.findall(r'(?:src|href)="(?!data:|#)([^"]*)"', page)) == set()
    assert "http" not in re.sub(r"base64,[^\"]*|http-equiv", "", page)
    assert "&lt;cat&gt;" in page
    assert "<cat>" not in page
    assert "a [note] &amp; more" in page


def test_a_class_without_a_sheet_has_no_link(found: Inspection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("efficientmixnet.pipeline.inspection.page._SHEETS", 1)
    page = render("my data", found, [], None)
    assert re.findall(r'href="#([^"]*)"', page) == re.findall(r' id="(class-[^"]*)"', page) == ["class-1"]


def test_the_page_links_to_the_statistics(found: Inspection) -> None:
    assert '<a href="x.statistics.html">' in render("my data", found, [], "x.statistics.html")


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (400, True)])
def test_a_browser_shows_the_images_without_network_requests(
    found: Inspection, tmp_path: Path, chromium: Any, width: int, dark: bool
) -> None:
    file = tmp_path / "inspection.html"
    file.write_text(render("my data", found, ["a note"], None), encoding="utf-8")
    page = chromium.open(file, width=width, dark=dark)
    assert page.evaluate("document.querySelector('h1').innerText") == "my data"
    loaded = """Promise.all([...document.images].map(async (image) => {
        image.loading = "eager";
        await image.decode();
        return image.naturalWidth > 0;
    }))"""
    assert page.evaluate(loaded) == [True] * (SAMPLES + 6)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert (page.said, page.requests) == ([], [])


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (999_499, "999 kB"),
        (999_748, "1 MB"),
        (2_200_000, "2.2 MB"),
        (140e9, "140 GB"),
        (3.2e15, "3,200 TB"),
    ],
)
def test_sizes_have_a_unit(size: float, words: str) -> None:
    assert size_in_words(size) == words


def test_names_of_classes_and_files_stay_text(tmp_path: Path, chromium: Any) -> None:
    attack = "</style><script>pwned=1</script>\"'><img src=x onerror=pwned=1>\x1b[2J"
    hostile = Inspection(
        {attack: Counter({attack: 2, "b": 1})},
        formats=Counter({attack: 3}),
        sizes=Counter({(8, 8): 3}),
        left_out=[LeftOut(attack, attack)],
        samples=defaultdict(list, {attack: [(attack, "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=")]}),
        duplicates=Duplicates(((Copy(attack, attack, attack), Copy("b", "b", attack)),)),
    )
    html = render(f"https://me:HUSH@web/{attack}", hostile, [attack], "a b#.html")
    assert "\x1b" not in html
    assert "HUSH" not in html
    assert 'href="a%20b%23.html"' in html
    assert "unsafe" not in html
    (tmp_path / "page.html").write_text(html, encoding="utf-8")
    page = chromium.open(tmp_path / "page.html")
    assert page.evaluate("document.body.innerText").count(attack.replace("\x1b", "\\u001b")) > 8
    assert page.evaluate("typeof pwned") == "undefined"
    assert page.evaluate("document.querySelector('.bar').offsetWidth") == 192  # 12 rem
    assert (page.said, page.requests) == ([], [])
