"""Tests of the command evaluate: its numbers, the layouts it reads, what it leaves out, and limits that are missed."""

import csv
import gzip
import io
import json
import tarfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tensorflow as tf
from click.testing import CliRunner, Result
from PIL import Image

from efficientmixnet.components.image_example_gen.skipped import OUTPUT_MARK
from efficientmixnet.modules import features
from efficientmixnet.pipeline.cli import main

GRAYS = {"dark": [10, 20, 30, 200], "bright": [250, 240, 230, 220]}


class Brightness(tf.Module):
    """A model that predicts `bright` for images above a brightness from 0 to 1."""

    def __init__(self, threshold: float, labels: tuple[str, ...] = ("bright", "dark")) -> None:
        super().__init__()
        self.threshold, self.labels = threshold, labels

    @tf.function(input_signature=[])
    def class_labels(self) -> tf.Tensor:
        return tf.constant(self.labels)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def classify(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        encoded = tf.io.parse_example(examples, {features.ENCODED: tf.io.FixedLenFeature([], tf.string)})

        def mean(one: tf.Tensor) -> tf.Tensor:
            return tf.reduce_mean(tf.cast(tf.io.decode_png(one, 3), tf.float32) / 255)

        bright = tf.map_fn(mean, encoded[features.ENCODED], fn_output_signature=tf.float32)
        bright = tf.sigmoid(20 * (bright - self.threshold))
        return {"probabilities": tf.stack([bright, 1 - bright], axis=1)}


class WithBird(Brightness):
    """Has the further class `bird`, which it predicts for very dark images."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def classify(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        bright, dark = tf.unstack(super().classify(examples)["probabilities"], axis=1)
        bird = tf.cast(dark > 0.99985, tf.float32)  # gray 10, but not 20
        return {"probabilities": tf.stack([2 * bird, bright, dark], axis=1) / (1 + 2 * bird[:, tf.newaxis])}


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An output folder with a pushed model, and two other models."""
    folder = tmp_path_factory.mktemp("output")
    for name, module in {
        "pushed/7": Brightness(0.5),
        "other/1": Brightness(0.99),
        "foreign/1": Brightness(0.5, ("bright", "black")),
        "richer/1": WithBird(0.5, ("bird", "bright", "dark")),
        "stranger/1": Brightness(0.5, ("lion", "zebra")),
    }.items():
        tf.saved_model.save(module, str(folder / name), signatures={"serving_examples": module.classify})
    return folder


def _png(gray: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (4, 4), (gray,) * 3).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Four images of each class. The model takes one dark image for a bright one."""
    for label, grays in GRAYS.items():
        (tmp_path / "images" / label).mkdir(parents=True)
        for gray in grays:
            (tmp_path / "images" / label / f"{gray}.png").write_bytes(_png(gray))
    return tmp_path / "images"


@pytest.fixture
def call(output: Path, tmp_path: Path):
    """Calls the command, and returns its result and the content of evaluation.json."""

    def run(*arguments: object, model: Path = output) -> tuple[Result, dict]:
        words = ["evaluate", str(model), *map(str, arguments), "--output", str(tmp_path / "found")]
        result = CliRunner().invoke(main, words)
        file = tmp_path / "found" / "evaluation.json"
        return result, json.loads(file.read_text()) if file.exists() else {}

    return run


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


def _manifest(folder: Path, images: Path) -> list[str]:
    with (folder / "list.csv").open("w", newline="") as file:
        rows = [(f"{label}/{gray}.png", label) for label, grays in GRAYS.items() for gray in grays]
        csv.writer(file).writerows([("path", "label"), *rows])
    return [str(images), "--set", f"data.manifest={folder / 'list.csv'}"]


def _parquet(folder: Path, images: Path) -> list[str]:
    rows = [{"image": _png(gray), "label": label} for label, grays in GRAYS.items() for gray in grays]
    (folder / "rows").mkdir()
    pq.write_table(pa.Table.from_pylist(rows), folder / "rows" / "part.parquet")
    return [str(folder / "rows")]


def _archive(folder: Path, images: Path) -> list[str]:
    (folder / "shards").mkdir()
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        for label, grays in GRAYS.items():
            for gray in grays:
                for name, content in ((f"{gray}.png", _png(gray)), (f"{gray}.cls", label.encode())):
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


def test_a_corrected_relabel_list_is_measured_but_not_overwritten(call, images, tmp_path):
    call(images)
    listed = tmp_path / "found" / "relabel.csv"
    listed.write_text(listed.read_text().replace('"bright"', '"dark"'))
    before = listed.read_bytes()
    result, _ = call(images, "--set", f"data.manifest={listed}")
    assert result.exit_code == 2
    message = f"error: data.manifest: {listed} would be overwritten; give another folder with --output\n"
    assert result.output == message
    assert listed.read_bytes() == before
    listed.rename(tmp_path / "corrected.csv")
    result, found = call(images, "--set", f"data.manifest={tmp_path / 'corrected.csv'}")
    assert result.exit_code == 0, result.output
    assert found["data"] == str(tmp_path / "corrected.csv")


def test_a_corrected_relabel_list_stays_when_the_images_are_measured_again(call, images, output, tmp_path):
    listed = tmp_path / "found" / "relabel.csv"
    call(images)
    first = listed.read_bytes()
    result, _ = call(images, model=output / "other")  # with other predictions
    assert listed.read_bytes() != first
    assert "was changed" not in result.output
    corrected = listed.read_bytes().replace(b'"bright"', b'"dark"', 1)
    listed.write_bytes(corrected)
    for model in (output / "other", output, output):
        result, found = call(images, model=model)
        assert result.exit_code == 0, result.output
        assert f"{listed}: was changed, so it stays as it is" in result.output
        assert listed.read_bytes() == corrected
    assert found["metrics"]["accuracy"]["value"] == 7 / 8
    listed.unlink()
    result, _ = call(images)
    assert listed.read_bytes() == first
    assert "was changed" not in result.output


def test_a_corrected_relabel_list_changes_the_labels_that_are_measured(call, images, tmp_path):
    call(images)
    listed = tmp_path / "found" / "relabel.csv"
    header, wrong, *others = listed.read_text().splitlines(keepends=True)  # the only mistake is the first row
    label, predicted = wrong.split(",")[1:3]
    listed.write_text("".join([header, wrong.replace(f",{label},", f",{predicted},", 1), *others]))
    result, _ = call(images, "--set", f"data.corrections={listed}")
    assert result.exit_code == 2
    message = f"error: data.corrections: {listed} would be overwritten; give another folder with --output\n"
    assert result.output == message
    listed.rename(tmp_path / "corrected.csv")
    result, found = call(images, "--set", f"data.corrections={tmp_path / 'corrected.csv'}")
    assert result.exit_code == 0, result.output
    assert (found["images"], found["metrics"]["accuracy"]["value"]) == (8, 1)


def test_a_relabel_list_stays_if_its_predictions_are_damaged(call, images, output, tmp_path):
    call(images)
    first = (tmp_path / "found" / "relabel.csv").read_bytes()
    (tmp_path / "found" / "predictions.parquet").write_bytes(b"cut off")
    result, _ = call(images, model=output / "other")
    assert result.exit_code == 0, result.output
    assert "relabel.csv: was changed, so it stays as it is" in result.output
    assert (tmp_path / "found" / "relabel.csv").read_bytes() == first


def test_two_models_are_compared_on_the_same_images(call, images, output):
    result, found = call(images, "--against", output / "other")
    assert result.exit_code == 0, result.output
    # The other model predicts dark for every image.
    assert found["metrics"]["accuracy"]["difference"]["value"] == 7 / 8 - 4 / 8
    test = found["mcnemar"]
    assert (test["images"], test["only_model"], test["only_against"]) == (8, 4, 1)
    assert test["p_value"] == pytest.approx(2 * (1 + 5) / 2**5)  # the exact test, by hand
    assert "only MODEL 4" in result.output


def test_unknown_labels_and_files_left_out_are_named_and_not_measured(call, images, tmp_path):
    (images / "zebra").mkdir()
    for gray in (100, 101):
        (images / "zebra" / f"{gray}.png").write_bytes(_png(gray))
    (images / "dark" / "torn.png").write_bytes(_png(10)[:60])
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


def test_images_are_measured_only_if_both_models_know_their_label(call, images, output):
    _, found = call(images, "--against", output / "foreign")
    assert found["images"] == 4
    assert found["unknown_labels"] == {"model": {}, "against": {"dark": 4}}


def test_a_further_class_counts_the_same_in_both_roles(call, images, output):
    model = output / "richer" / "1"
    _, alone = call(images, model=model)
    _, compared = call(images, "--against", model)
    values = {name: one["value"] for name, one in alone["metrics"].items()}
    assert values["macro_f1"] == pytest.approx((0 + 8 / 9 + 2 * 2 / (4 + 2)) / 3)  # of bird, bright, dark
    for name in ("accuracy", "balanced_accuracy", "macro_f1"):
        ours = compared["metrics"][name]
        assert ours["value"] - ours["difference"]["value"] == pytest.approx(values[name])


def test_models_without_a_common_label_are_refused(call, images, output):
    result, _ = call(images, "--against", output / "stranger")
    assert result.exit_code == 2
    assert "has no label in common with" in result.output
    assert "The labels are lion, zebra, and bright, dark" in result.output


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
    (images / "found" / "thumbnail.png").write_bytes(_png(0))
    _, found = call(images)
    assert (found["images"], found["unknown_labels"]["model"]) == (8, {})


def test_a_folder_that_was_there_gets_no_mark(call, images, tmp_path):
    (tmp_path / "found").mkdir()
    call(images)
    assert not (tmp_path / "found" / OUTPUT_MARK).exists()


def test_a_single_class_is_enough(call, images):
    for file in (images / "dark").iterdir():
        file.unlink()
    result, found = call(images)
    assert result.exit_code == 0, result.output
    assert (found["images"], found["metrics"]["accuracy"]["value"]) == (4, 1)


@pytest.mark.parametrize(
    ("limits", "line"),
    [
        (["--threshold", "accuracy=0.9"], "accuracy 0.8750 does not reach 0.9 (evaluation.thresholds.accuracy)"),
        (
            ["--set", "evaluation.slice_thresholds.accuracy=0.8", "--set", "evaluation.min_slice_size=4"],
            "accuracy of label dark (4 images) 0.7500 does not reach 0.8 (evaluation.slice_thresholds.accuracy)",
        ),
    ],
)
def test_a_missed_limit_is_one_line_and_exit_code_3(call, images, limits, line):
    result, found = call(images, *limits)
    assert result.exit_code == 3
    assert [one for one in result.output.splitlines() if one.startswith("missed")] == [f"missed: {line}"]
    assert found["missed"] == [line]


def test_limits_that_are_kept_give_exit_code_0(call, images):
    result, found = call(images, "--threshold", "accuracy=0.8", "--threshold", "loss=9")
    assert result.exit_code == 0
    assert found["kept"][0] == "accuracy 0.8750 reaches 0.8"
    assert found["kept"][1].endswith("stays within 9")


def test_a_tolerance_is_a_limit_only_if_it_is_set(call, images, output):
    worse = output / "other"
    result, _ = call(images, "--against", output, model=worse)
    assert result.exit_code == 0
    result, _ = call(images, "--against", output, "--set", "evaluation.tolerances.accuracy=0.1", model=worse)
    assert result.exit_code == 3
    assert "accuracy 0.5000 is worse than the other model's 0.8750 by more than 0.1" in result.output


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


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (400, True)])
def test_a_browser_shows_the_page_without_network_requests(call, images, output, tmp_path, chromium, width, dark):
    (images / "<b>odd").mkdir()
    (images / "<b>odd" / "1.png").write_bytes(_png(1))
    call(images, "--against", output / "other", "--threshold", "accuracy=0.9")
    page = chromium.open(tmp_path / "found" / "report.html", width=width, dark=dark)
    assert page.evaluate("document.querySelector('h1').innerText") == "Accuracy 0.8750"
    text = page.evaluate("document.body.innerText")
    for part in ("Missed: accuracy 0.8750 does not reach 0.9", "McNemar's test: of 8 images", "<b>odd"):
        assert part in text
    assert page.evaluate("document.querySelectorAll('#matrix td').length") == 4
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert (page.said, page.requests) == ([], [])
