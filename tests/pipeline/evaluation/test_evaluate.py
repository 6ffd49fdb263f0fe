"""The command evaluate gives the metrics of the predictions, a page, and one line for a mistake."""

import shutil

import pytest
from click.testing import CliRunner
from filelock import FileLock
from gray_images import png

from efficientmixnet.components.image_example_gen.skipped import OUTPUT_MARK
from efficientmixnet.pipeline.cli import main


def test_the_metrics_are_those_of_the_predictions(call, images):
    result, found = call(images)
    assert result.exit_code == 0, result.output
    values = {name: one["value"] for name, one in found["metrics"].items()}
    assert values["accuracy"] == 7 / 8
    assert values["balanced_accuracy"] == (3 / 4 + 1) / 2
    assert values["macro_f1"] == pytest.approx((6 / 7 + 8 / 9) / 2)
    interval = found["metrics"]["accuracy"]
    assert 0 < interval["low"] < 7 / 8 < interval["high"] <= 1
    assert (found["images"], found["left_out"], found["missed"]) == (8, {}, [])
    assert [one["recall"]["value"] for one in found["classes"]] == [1, 3 / 4]
    assert "accuracy" in result.output
    assert "0.8750" in result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--threshold", "accuracy"], "--threshold accuracy: give METRIC=VALUE"),
        (["--threshold", "speed=1"], "'speed' is not one of"),
        (["--against", "nowhere"], "nowhere: has no model"),
        (["--set", "evaluation.thresholds.accuracy=0.5", "--set", "evaluation.weight=w"], "evaluation.weight: "),
    ],
)
def test_a_mistake_is_one_line(call, images, arguments, message):
    result, found = call(images, *arguments)
    assert result.exit_code == 2
    assert message in result.output
    assert found == {}


def test_a_damaged_model_is_named(call, images, tmp_path):
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "saved_model.pb").write_bytes(b"broken")
    result, _ = call(images, model=tmp_path / "broken")
    assert result.exit_code == 2
    assert f"error: {tmp_path}/broken: is damaged, or is not a model" in result.output


def test_a_folder_that_was_there_gets_no_mark(call, images, tmp_path):
    (tmp_path / "found").mkdir()
    call(images)
    assert not (tmp_path / "found" / OUTPUT_MARK).exists()


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (400, True)])
def test_a_browser_shows_the_page_without_network_requests(call, images, output, tmp_path, chromium, width, dark):
    (images / "<b>odd").mkdir()
    (images / "<b>odd" / "1.png").write_bytes(png(1))
    call(images, "--against", output / "other", "--threshold", "accuracy=0.9")
    page = chromium.open(tmp_path / "found" / "report.html", width=width, dark=dark)
    assert page.evaluate("document.querySelector('h1').innerText") == "Accuracy 0.8750"
    text = page.evaluate("document.body.innerText")
    for part in ("Missed: accuracy 0.8750 does not reach 0.9", "McNemar's test: of 8 images", "<b>odd"):
        assert part in text
    assert page.evaluate("document.querySelectorAll('#matrix td').length") == 4
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert (page.said, page.requests) == ([], [])


def test_a_second_evaluation_in_the_same_folder_is_refused(call, images, tmp_path):
    (tmp_path / "found").mkdir()
    with FileLock(tmp_path / "found" / ".lock"):
        result, found = call(images)
    assert result.exit_code == 2
    message = f"error: --output {tmp_path}/found: another command is writing to this folder; wait until it ends, or"
    assert message in result.output
    assert found == {}
    assert call(images)[0].exit_code == 0


def test_a_failure_leaves_the_results_of_the_evaluation_before(call, images, output, tmp_path, monkeypatch):
    def fail(*_: object) -> None:
        raise RuntimeError("no page")

    call(images)
    before = {path: path.read_bytes() for path in (tmp_path / "found").iterdir()}
    (tmp_path / "found" / ".records-killed").mkdir()  # of a process that was killed
    monkeypatch.setattr("efficientmixnet.components.report.page.render_evaluation", fail)
    assert call(images, model=output / "other")[0].exit_code == 1
    assert {path: path.read_bytes() for path in (tmp_path / "found").iterdir()} == before


def test_the_folder_of_the_images_is_not_written_to(output, images):
    before = sorted(images.rglob("*"))
    for folder, reason in (
        (images, "is the folder of the images"),
        (images / "dark", "is below data.images and holds"),
    ):
        result = CliRunner().invoke(main, ["evaluate", str(output), str(images), "--output", str(folder)])
        assert result.exit_code == 2
        assert f"error: --output: {folder} {reason}" in result.output
    assert sorted(images.rglob("*")) == before


def test_a_model_in_a_folder_whose_name_looks_like_a_pattern_is_measured(call, images, output, tmp_path):
    copied = shutil.copytree(output, tmp_path / "output [2]")
    result, found = call(images, "--against", copied / "other", model=copied)
    assert result.exit_code == 0, result.output
    assert found["model"] == str(copied / "pushed" / "7")
    assert found["metrics"]["accuracy"]["value"] == 7 / 8
