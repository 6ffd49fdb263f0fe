"""Tests that bad images and labels stop a run with a message and a list."""

import csv
import shutil
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e


def few(digits: Path, folder: Path, per_class: int) -> None:
    for label in digits.iterdir():
        for image in sorted(label.glob("*.png"))[:per_class]:
            (folder / label.name).mkdir(parents=True, exist_ok=True)
            shutil.copy(image, folder / label.name)


def test_too_many_bad_images_stop_the_run_and_are_listed(efficientmixnet, small_config, digits, summary, tmp_path):
    data, output = tmp_path / "data", tmp_path / "runs"
    few(digits, data, per_class=9)
    (data / "0" / "empty.png").touch()
    (data / "1" / "torn.png").write_bytes((data / "1" / "0001.png").read_bytes()[:60])
    done = efficientmixnet("run", small_config, "--data", data, "--output", output)
    assert done.returncode == 2
    assert "2 of 92 images (2.2%) cannot be used" in done.stderr
    assert "data.max_left_out" in done.stderr
    ended = summary(output)
    assert ended["state"] == "failed"
    with Path(ended["run"], "left_out.csv").open(newline="") as file:
        rows = list(csv.reader(file))[1:]
    assert rows == [["0/empty.png", "has zero bytes"], ["1/torn.png", "is a truncated or corrupt PNG file"]]


def test_a_label_without_training_images_stops_the_run_before_training(
    efficientmixnet, small_config, digits, summary, tmp_path
):
    manifest, output = tmp_path / "images.csv", tmp_path / "runs"
    rows = [
        (f"{label}/{image.name}", f"número {label}/10", "train" if number else "eval")
        for label in "012"
        for number, image in enumerate(sorted((digits / label).glob("*.png"))[:20])
    ]
    rows.append(("7/0007.png", "sieben", "eval"))
    with manifest.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("path", "label", "split"), *rows])
    done = efficientmixnet("run", small_config, "--set", f"data.manifest={manifest}", "--output", output)
    assert done.returncode == 2
    assert "sieben" in done.stderr
    assert "The training split does not have these classes" in done.stderr
    assert "Trainer" not in summary(output)["seconds"]
