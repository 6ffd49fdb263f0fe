"""One temperature makes the confidence of a network agree with its accuracy."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.special import softmax

from efficientmixnet.modules import features
from efficientmixnet.modules.data.batches import Reading
from efficientmixnet.modules.data.records import Records
from efficientmixnet.modules.data.training_data import TrainingData
from efficientmixnet.modules.training.calibration import calibrate, fit_temperature
from efficientmixnet.modules.training.training_job import images_to_hold_out


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_that_distorted_probabilities_is_found(temperature: float) -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(20_000, 5)) * 2
    true = softmax(logits, axis=1)
    labels = (true.cumsum(axis=1) < rng.random((20_000, 1))).sum(axis=1)  # drawn from the true probabilities
    distorted = softmax(logits * temperature, axis=1).astype("float32")
    assert fit_temperature(labels, distorted) == pytest.approx(temperature, rel=0.03)


def test_images_without_a_mistake_do_not_make_the_model_certain() -> None:
    labels = np.arange(50) % 5
    probabilities = np.full((50, 5), 0.1)
    probabilities[np.arange(50), labels] = 0.6
    sharper = probabilities ** (1 / fit_temperature(labels, probabilities))
    confidence = (sharper / sharper.sum(axis=1, keepdims=True)).max(axis=1).mean()
    assert confidence == pytest.approx(1 - 1 / 102, abs=1e-3)  # half a mistake in 51 images


def test_probabilities_of_zero_are_taken() -> None:
    probabilities = np.tile(np.array([1.0, 0.0], "float32"), (100, 1))
    labels = (np.arange(100) < 20).astype(int)  # a fifth are mistakes
    assert 1 < fit_temperature(labels, probabilities) <= 20


@pytest.mark.parametrize(
    ("images", "held_out"), [(199, 0), (200, 20), (1_442, 100), (2_000, 100), (10_000, 500), (1_000_000, 5_000)]
)
def test_a_part_of_the_training_split_is_held_out(images: int, held_out: int) -> None:
    assert images_to_hold_out(images) == held_out


@pytest.mark.parametrize(("images", "count"), [(209, 20), (1_999, 100), (10_010, 500), (1_000_000, 5_000)])
def test_exactly_as_many_images_are_held_out_as_calibration_needs(images: int, count: int) -> None:
    assert images_to_hold_out(images) == count
    others, chosen = Records(("images.gz",), images, in_files=(images,)).split_off(count)
    assert (others.count, chosen.count) == (images - count, count)
    assert others.record_files.kept.tolist() == [images - count]
    assert chosen.record_files.kept.tolist() == [count]


@pytest.mark.parametrize(
    ("class_counts", "held_out"),
    [
        ([200] * 5, 100),
        ([2] * 500, 0),  # a tenth is held out: on average both images of five classes
        ([999, 1], 0),
        ([997, 3], 100),  # once in a thousand trainings
        ([5] * 200, 100),
    ],
)
def test_no_class_loses_all_of_its_images(class_counts: list[int], held_out: int) -> None:
    assert images_to_hold_out(sum(class_counts), class_counts) == held_out


@pytest.fixture
def data(tmp_path: Path) -> TrainingData:
    """40 gray images, dark ones of class 0 and bright ones of class 1, of which every fourth has the wrong label."""
    with tf.io.TFRecordWriter(f"{tmp_path}/images.gz", "GZIP") as writer:
        for number in range(40):
            bright = number % 2
            label = 1 - bright if number % 8 < 2 else bright
            pixels = np.full((4, 4, 3), 200 if bright else 50, "uint8")
            values = {
                features.ENCODED: tf.train.Feature(
                    bytes_list=tf.train.BytesList(value=[tf.io.encode_png(pixels).numpy()])
                ),
                features.LABEL_ID: tf.train.Feature(int64_list=tf.train.Int64List(value=[label])),
            }
            writer.write(tf.train.Example(features=tf.train.Features(feature=values)).SerializeToString())
    records = Records((f"{tmp_path}/images.gz",), 40)
    reading = Reading(image_size=4, crop_fraction=1.0, classes=2, batch_size=16, workers=2)
    return TrainingData(records, records, reading, ["dark", "bright"], held_out=records)


def _certain_model() -> keras.Model:
    """A network that is right about the brightness, and too certain of it."""
    image = keras.Input((4, 4, 3))
    mean = keras.layers.GlobalAveragePooling2D()(keras.layers.Rescaling(1 / 75, -5 / 3)(image))  # -1 or 1
    model = keras.Model(image, keras.layers.Dense(2, activation="softmax", name="predictions")(mean))
    model.get_layer("predictions").set_weights([np.array([[-1.0, 1.0]] * 3), np.zeros(2)])
    return model


def test_confidence_becomes_the_accuracy_and_no_prediction_changes(
    data: TrainingData, capsys: pytest.CaptureFixture[str]
) -> None:
    model = _certain_model()
    images = np.stack([np.full((4, 4, 3), level, "uint8") for level in range(256)])
    before = model.predict(images, verbose=0)
    calibration = calibrate(model, data)
    after = model.predict(images, verbose=0)
    assert calibration and calibration.images == 40
    assert before[50].max() == pytest.approx(1 / (1 + np.exp(-6)), abs=1e-3)
    # 3 of 4 images are right. Half an image more has another label.
    assert after[50].max() == pytest.approx((0.75 * 81 + 0.25) / 82, abs=2e-3)
    np.testing.assert_array_equal(after.argmax(axis=1), before.argmax(axis=1))
    assert capsys.readouterr().out.startswith("calibrated on 40 held-out training images: temperature ")


def test_a_training_that_held_out_no_images_is_not_calibrated(data: TrainingData) -> None:
    model = _certain_model()
    assert calibrate(model, TrainingData(data.train, data.train, data.reading, data.labels)) is None
    assert model.get_layer("predictions").get_weights()[0][0, 1] == 1.0
