"""Images of every layout are measured if the model knows their label, and the others are named."""

import csv
import gzip
import io
import tarfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from gray_images import GRAYS, png

from efficientmixnet.components.image_example_gen.skipped import OUTPUT_MARK


def _manifest(folder: Path, images: Path) -> list[str]:
    with (folder / "list.csv").open("w", newline="") as file:
        rows = [(f"{label}/{gray}.png", label) for label, grays in GRAYS.items() for gray in grays]
        csv.writer(file).writerows([("path", "label"), *rows])
    return [str(images), "--set", f"data.manifest={folder / 'list.csv'}"]


def _parquet(folder: Path, images: Path) -> list[str]:
    rows = [{"image": png(gray), "label": label} for label, grays in GRAYS.items() for gray in grays]
    (folder / "rows").mkdir()
    pq.write_table(pa.Table.from_pylist(rows), folder / "rows" / "part.parquet")
    return [str(folder / "rows")]


def _archive(folder: Path, images: Path) -> list[str]:
    (folder / "shards").mkdir()
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        for label, grays in GRAYS.items():
            for gray in grays:
                for name, content in ((f"{gray}.png", png(gray)), (f"{gray}.cls", label.encode())):
                    member = tarfile.TarInfo(name)
                    member.size = len(content)
                    tar.addfile(member, io.BytesIO(content))
    (folder / "shards" / "part.tar.gz").write_bytes(gzip.compress(file.getvalue()))
    return [str(folder / "shards")]


@pytest.mark.parametrize("layout", [_manifest, _parquet, _archive])
def test_every_layout_gives_the_same_metrics(call, images, tmp_path, layout):
    (tmp_path / "layout").mkdir()
    result, found = call(*layout(tmp_path / "layout", images))
    assert result.exit_code == 0, result.output
    assert (found["images"], found["metrics"]["accuracy"]["value"]) == (8, 7 / 8)


def test_unknown_labels_and_files_left_out_are_named_and_not_measured(call, images, tmp_path):
    (images / "zebra").mkdir()
    for gray in (100, 101):
        (images / "zebra" / f"{gray}.png").write_bytes(png(gray))
    (images / "dark" / "torn.png").write_bytes(png(10)[:60])
    result, found = call(images)
    assert result.exit_code == 0, result.output
    assert (found["images"], found["metrics"]["accuracy"]["value"]) == (8, 7 / 8)
    assert found["unknown_labels"] == {"model": {"zebra": 2}}
    assert "does not know: zebra (2)" in result.output
    assert "dark/torn.png is a truncated or corrupt PNG file" in result.output
    assert "dark/torn.png" in (tmp_path / "found" / "left_out.csv").read_text()
    page = (tmp_path / "found" / "report.html").read_text()
    assert "zebra" in page
    assert "is a truncated or corrupt PNG file" in page


def test_data_without_a_known_label_is_refused_with_both_lists(call, images, tmp_path):
    (images / "dark").rename(images / "zebra")
    (images / "bright").rename(images / "lion")
    result, _ = call(images)
    assert result.exit_code == 2
    expected = "no image has a label that the model knows. The data has lion, zebra; the model knows bright, dark"
    assert expected in result.output
    assert not (tmp_path / "found").exists()


def test_an_evaluation_below_the_images_is_no_class(call, images, tmp_path):
    call(images)
    assert (tmp_path / "found" / OUTPUT_MARK).exists()
    (tmp_path / "found").rename(images / "found")
    (images / "found" / "thumbnail.png").write_bytes(png(0))
    _, found = call(images)
    assert (found["images"], found["unknown_labels"]["model"]) == (8, {})


def test_a_single_class_is_enough(call, images):
    for file in (images / "dark").iterdir():
        file.unlink()
    result, found = call(images)
    assert result.exit_code == 0, result.output
    assert (found["images"], found["metrics"]["accuracy"]["value"]) == (4, 1)


def test_one_split_is_measured_if_it_is_named(call, images):
    (images / "Training").mkdir()
    for label in GRAYS:
        (images / label).rename(images / "Training" / label)
        (images / "val" / label).mkdir(parents=True)
    (images / "Training" / "dark" / "200.png").rename(images / "val" / "dark" / "200.png")
    (images / "Training" / "bright" / "250.png").rename(images / "val" / "bright" / "250.png")
    result, found = call(images, "--split", "validation")
    assert result.exit_code == 0, result.output
    assert (found["images"], found["metrics"]["accuracy"]["value"]) == (2, 1 / 2)
    result, found = call(images)
    assert found["images"] == 8
    assert "the images of all splits (eval, train) were measured" in result.output
    result, _ = call(images, "--split", "test")
    assert result.exit_code == 2
    assert "--split test: has no images; the splits are eval (2 images), train (6 images)" in result.output
