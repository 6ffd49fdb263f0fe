"""Tests of `efficientmixnet inspect`."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from efficientmixnet.pipeline.cli import main


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
    assert "left out      24 has more pixels than data.max_pixels: 9" in result.output


def test_missing_data_is_reported_in_one_line(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["inspect", str(tmp_path / "none")])
    assert result.exit_code == 2
    reading, error = result.output.splitlines()
    assert reading == f"reading the images of {tmp_path}/none ..."
    assert "none does not exist" in error
