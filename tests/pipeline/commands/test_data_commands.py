"""Tests of `efficientmixnet inspect`."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from efficientmixnet.pipeline.cli import main
from efficientmixnet.pipeline.commands import data_commands
from efficientmixnet.pipeline.inspection import inspect_images


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for number in range(24):
        path = tmp_path / "data" / ("cat" if number % 2 else "dog") / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (16, 16), number).save(path)
    return tmp_path / "data"


def test_inspect_prints_the_classes_and_writes_the_page(data: Path, tmp_path: Path) -> None:
    page = tmp_path / "pages" / "look.html"
    result = CliRunner().invoke(main, ["inspect", str(data), "--page", str(page), "--no-statistics"])
    assert result.exit_code == 0, result.output
    assert "images        24 in 2 classes" in result.output
    assert "formats       PNG L 24" in result.output
    assert "one class has fewer than 10 training images: dog" in result.output
    assert page.read_text(encoding="utf-8").count("<img") == 24


def test_the_page_links_to_the_statistics_of_tfdv(data: Path, tmp_path: Path) -> None:
    page = tmp_path / "look.html"
    result = CliRunner().invoke(main, ["inspect", str(data), "--page", str(page)])
    assert result.exit_code == 0, result.output
    assert 'href="look.statistics.html"' in page.read_text(encoding="utf-8")
    assert "Statistics of TFDV" in (tmp_path / "look.statistics.html").read_text(encoding="utf-8")


def test_inspect_accepts_a_configuration_and_overrides(data: Path, tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text("data: {images: data}")
    page = ["--page", str(tmp_path / "look.html"), "--no-statistics"]
    result = CliRunner().invoke(main, ["inspect", str(tmp_path / "run.yaml"), *page, "--set", "data.max_pixels=9"])
    assert result.exit_code == 0, result.output
    assert "left out      24 (has more pixels than data.max_pixels: 9)" in result.output


def test_a_page_that_cannot_be_written_is_named_before_the_images_are_read(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspect_images, "inspect_images", lambda *_: pytest.fail("the images are read"))
    (tmp_path / "file").touch()
    result = CliRunner().invoke(main, ["inspect", str(data), "--page", str(tmp_path / "file" / "look.html")])
    assert result.exit_code == 2, result.output
    assert f"--page {tmp_path}/file/look.html: cannot be written: {tmp_path}/file is not a folder" in result.output


def test_the_counts_are_printed_even_if_writing_the_page_fails(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fill_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(data_commands, "write_text", fill_disk)
    page = str(data.parent / "look.html")
    result = CliRunner().invoke(main, ["inspect", str(data), "--page", page, "--no-statistics"])
    assert result.exit_code == 2
    assert "images        24 in 2 classes" in result.output
    assert result.output.splitlines()[-1] == f"error: --page {page}: cannot be written: No space left on device"


def test_missing_data_is_reported_in_one_line(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["inspect", str(tmp_path / "none")])
    assert result.exit_code == 2
    *first, error = result.output.splitlines()
    assert first == ["reading the configuration ...", f"reading the images of {tmp_path}/none ..."]
    assert "none does not exist" in error


def test_the_page_and_the_table_count_the_images_of_each_class_in_each_split(tmp_path: Path) -> None:
    counts = {"train": {"cat": 5, "dog": 3}, "valid": {"cat": 2, "dog": 1}, "test": {"cat": 1, "dog": 4}}
    for split, classes in counts.items():
        for label, count in classes.items():
            (tmp_path / "data" / split / label).mkdir(parents=True)
            for number in range(count):
                Image.new("RGB", (8, 8), (number, len(split), len(classes))).save(
                    tmp_path / "data" / split / label / f"{number}.png"
                )
    result = CliRunner().invoke(
        main, ["inspect", str(tmp_path / "data"), "--page", str(tmp_path / "page.html"), "--no-statistics"]
    )
    assert result.exit_code == 0, result.output
    assert ["all classes", "8", "3", "5"] in [line.strip().rsplit(maxsplit=3) for line in result.output.splitlines()]
    html = (tmp_path / "page.html").read_text()
    table = html[html.index('<table id="classes">') : html.index("</table>", html.index('<table id="classes">'))]
    rows = [re.findall(r"<t[hd][^>]*>(?:<a[^>]*>)?([\w,]+)<", row) for row in table.split("<tr>")[1:]]
    assert rows == [
        ["class", "train", "eval", "test", "all"],
        ["all", "8", "3", "5", "16"],
        ["cat", "5", "2", "1", "8"],
        ["dog", "3", "1", "4", "8"],
    ]
    assert "<p>valid is eval.</p>" in html


def test_inspect_counts_corrected_labels(data: Path, tmp_path: Path) -> None:
    """The corrections have a row of their own. A name that no image has is refused in one line."""
    first, *_ = sorted(path for path in data.rglob("*.png"))
    others = sorted({path.parent.name for path in data.rglob("*.png")} - {first.parent.name})
    relabel = tmp_path / "relabel.csv"
    command = ["inspect", str(data), "--page", str(tmp_path / "page.html"), "--no-statistics"]
    command += ["--set", f"data.corrections={relabel}"]
    relabel.write_text(f"path,label\n{first.relative_to(data)},{others[0]}\n", encoding="utf-8")
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.output
    assert "corrections   relabel.csv changes 1 label" in result.output.splitlines()
    assert "<p>relabel.csv changes 1 label.</p>" in (tmp_path / "page.html").read_text(encoding="utf-8")
    relabel.write_text("path,label\nno.png,dog\n")
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 2
    assert f"error: data.corrections: {relabel}, line 2: 'no.png' is not an image of the data." in result.output
    assert "Traceback" not in result.output


def test_a_long_name_is_printed_whole_in_a_narrow_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    names = ["n" * 60, "other"]
    for name in names:
        (tmp_path / "data" / name).mkdir(parents=True)
        for number in range(10):
            Image.new("RGB", (8, 8), (number, 0, 0)).save(tmp_path / "data" / name / f"{number}.png")
    printed = (
        CliRunner().invoke(main, ["inspect", str(tmp_path / "data"), "--page", str(tmp_path / "page.html")]).output
    )
    table = printed.partition("\nimages")[0]
    assert sum(map(len, re.findall("nnn+", table))) == 60
