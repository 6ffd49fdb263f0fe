"""Fixtures: a split of gray images, a model that predicts by brightness, the report's content, and its page."""

import functools
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from report_run import RUN
from tensorflow_metadata.proto.v0 import statistics_pb2

from efficientmixnet.components.report import content
from efficientmixnet.components.report.page import render
from efficientmixnet.components.report.predictions import Predictions
from efficientmixnet.components.report.write_predictions import Classifier, write_predictions
from efficientmixnet.modules import features

SIDE = 12  # pixels


class ByBrightness(tf.Module):
    """Predicts the class with the nearest brightness. Class n of N has the brightness (n + 1/2) / N."""

    def __init__(self, labels: list[str], offset: float) -> None:
        super().__init__()
        self._labels = tf.constant(labels)
        self._centers = tf.constant((np.arange(len(labels)) + 0.5) / len(labels) + offset, tf.float32)

    @tf.function(input_signature=[])
    def class_labels(self) -> tf.Tensor:
        return self._labels

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def classify_examples(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        encoded = tf.io.parse_example(examples, {features.ENCODED: tf.io.FixedLenFeature([], tf.string)})
        images = self._decoded(encoded[features.ENCODED])
        brightness = tf.reduce_mean(tf.cast(images, tf.float32) / 255, [1, 2, 3])
        distance = (brightness[:, None] - self._centers) * len(self._centers)
        return {features.PROBABILITIES: tf.nn.softmax(-2 * distance**2)}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string), tf.TensorSpec([None], tf.int64)])
    def class_activations(self, images: tf.Tensor, class_ids: tf.Tensor) -> dict[str, tf.Tensor]:
        inputs = self._decoded(images)
        return {"inputs": inputs, "activations": tf.cast(inputs[:, ::4, ::4, 0], tf.float32)}

    def _decoded(self, encoded: tf.Tensor) -> tf.Tensor:
        return tf.map_fn(lambda one: tf.io.decode_png(one, 3), encoded, fn_output_signature=tf.uint8)


@dataclass(frozen=True)
class Evaluated:
    """The evaluated split, the predictions and the report's content."""

    folder: Path
    files: list[str]
    labels: np.ndarray  # [images], numbers
    probabilities: np.ndarray  # [images, classes], from the model directly
    predictions: Predictions
    content: dict[str, Any]


@pytest.fixture(scope="session")
def evaluate(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Evaluated]:
    """Makes a split of `classes` classes with `per_class` images each, and evaluates it."""

    def make(classes: int, per_class: int, noise: float = 0.6, baseline: bool = False) -> Evaluated:
        folder = tmp_path_factory.mktemp("evaluated")
        names = ['class "0" <b>&', "قطة", *(f"class {number}" for number in range(2, classes))]
        examples = list(_examples(names, per_class, noise))
        files = [str(folder / f"images-{part}.gz") for part in range(2)]
        for part, file in enumerate(files):
            with tf.io.TFRecordWriter(file, "GZIP") as writer:
                for example in examples[part::2]:
                    writer.write(example)
        _export(ByBrightness(names, 0.0), folder / "model")
        model = Classifier(str(folder / "model"))
        worse = None
        if baseline:
            # One class less, and the others in another order, since vocabularies differ between runs.
            _export(ByBrightness(names[:-1][::-1], 0.3), folder / "baseline")
            worse = Classifier(str(folder / "baseline"), model.labels)
        write_predictions(model, worse, files, str(folder / "predictions.parquet"))
        predictions = Predictions(folder / "predictions.parquet")
        for split in ("train", "eval"):
            _write_statistics(folder / f"Split-{split}", dict.fromkeys(names, per_class))
        in_order = examples[0::2] + examples[1::2]
        found = {
            "verdict": {"blessed": False, "reason": "accuracy 0.1 does not reach 0.5; loss 3 is above 2"},
            **content.measured(predictions, [["camera"], [features.SIZE, "camera"]]),
            **content.shown(predictions, model, files),
            **content.trained_on(CONFIG, str(folder), ["train", "eval"], {"has zero bytes": 2}, ["a note"]),
            "curves": {"accuracy": {"train": [(1, 0.1), (2, 0.5)], "validation": [(1, 0.2)]}, "loss": {}},
        }
        return Evaluated(
            folder,
            files,
            np.array([names.index(_value(one, features.LABEL)) for one in in_order]),
            model.probabilities(tf.constant(in_order)),
            predictions,
            json.loads(json.dumps(found)),
        )

    return make


@pytest.fixture(scope="session")
def rendered(evaluate: Callable[..., Evaluated]) -> Callable[[int, int], tuple[str, dict[str, Any]]]:
    """Returns the page and its content. A shape is evaluated once, because that takes seconds."""

    @functools.cache
    def make(classes: int, per_class: int) -> tuple[str, dict[str, Any]]:
        evaluated = evaluate(classes, per_class, baseline=classes == 10)
        return render(evaluated.content, RUN), evaluated.content

    return make


@pytest.fixture(scope="module", params=[(2, 20), (10, 30), (1000, 4)], ids=lambda shape: f"{shape[0]} classes")
def page(
    request: pytest.FixtureRequest, rendered: Callable[[int, int], tuple[str, dict[str, Any]]]
) -> tuple[str, dict[str, Any]]:
    return rendered(*request.param)


@pytest.fixture(scope="module", params=[(1280, False), (400, True)], ids=["desktop, light", "phone, dark"])
def opened(
    request: pytest.FixtureRequest, page: tuple[str, dict[str, Any]], chromium: Any, tmp_path_factory: Any
) -> tuple[Any, dict[str, Any], int]:
    """The page in a browser, with its content and its width."""
    html, content = page
    file = tmp_path_factory.mktemp("page") / "report.html"
    file.write_text(html, encoding="utf-8")
    width, dark = request.param
    return chromium.open(file, width=width, dark=dark), content, width


CONFIG = {
    "name": "gray",
    "data": {"images": "/images", "manifest": None},
    "network": {"variant": "B0", "image_size": 32},
    "training": {"seed": 7},
}


def _examples(names: list[str], per_class: int, noise: float) -> Any:
    random = np.random.default_rng(0)
    for number, name in enumerate(names):
        for image in range(per_class):
            brightness = (number + 0.5 + noise * random.normal()) / len(names)
            pixels = np.clip(255 * brightness + random.normal(size=(SIDE, SIDE)), 0, 255).astype(np.uint8)
            file = io.BytesIO()
            Image.fromarray(pixels).save(file, "PNG")
            example = tf.train.Example()
            for feature, text in {
                features.ENCODED: file.getvalue(),
                features.LABEL: name.encode(),
                features.FILENAME: f"{number}/{image}.png".encode(),
                "camera": [b"left", b"right"][image % 2],
                features.SIZE: [b"8 to 15", b"32 to 63"][image % 2],
            }.items():
                example.features.feature[feature].bytes_list.value.append(text)
            for feature in (features.HEIGHT, features.WIDTH):
                example.features.feature[feature].int64_list.value.append(SIDE * (1 + 4 * (image % 2)))
            yield example.SerializeToString()


def _value(example: bytes, feature: str) -> str:
    return tf.train.Example.FromString(example).features.feature[feature].bytes_list.value[0].decode()


def _export(model: ByBrightness, folder: Path) -> None:
    tf.saved_model.save(model, str(folder), signatures={"serving_examples": model.classify_examples})


def _write_statistics(folder: Path, counts: dict[str, int]) -> None:
    statistics = statistics_pb2.DatasetFeatureStatisticsList()
    label = statistics.datasets.add().features.add(type=statistics_pb2.FeatureNameStatistics.STRING)
    label.path.step.append(features.LABEL)
    for name, count in counts.items():
        label.string_stats.rank_histogram.buckets.add(label=name, sample_count=count)
    folder.mkdir()
    (folder / "FeatureStats.pb").write_bytes(statistics.SerializeToString())
