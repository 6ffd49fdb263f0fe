"""Fixtures: models that tell dark images from bright ones, images for them, and a call of evaluate."""

import json
from pathlib import Path

import pytest
import tensorflow as tf
from click.testing import CliRunner, Result
from gray_images import GRAYS, png

from efficientmixnet.modules import features
from efficientmixnet.pipeline.cli import main


class Brightness(tf.Module):
    """A model that predicts `bright` for images above a brightness from 0 to 1."""

    def __init__(self, threshold: float, labels: tuple[str, ...] = ("bright", "dark")) -> None:
        super().__init__()
        self.threshold, self.labels = tf.Variable(threshold), labels

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


@pytest.fixture(scope="session")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An output folder with a pushed model, and four other models."""
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


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Four images of each class. The model takes one dark image for a bright one."""
    for label, grays in GRAYS.items():
        (tmp_path / "images" / label).mkdir(parents=True)
        for gray in grays:
            (tmp_path / "images" / label / f"{gray}.png").write_bytes(png(gray))
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
