"""TensorBoard shows the learning rate, the predictions and the confusion matrix of every epoch."""

from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from budget_job import CUSTOM, job_for
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from efficientmixnet.modules.training import tensorboard_images
from efficientmixnet.modules.training.confusion_accuracy import ConfusionAccuracy
from efficientmixnet.modules.training.tensorboard_images import (
    TensorBoardImages,
    TimeBudget,
    draw_confusion_matrix,
    draw_predictions,
)
from efficientmixnet.modules.training.training_job import train

LABELS = ["left", "right"]


def test_every_epoch_writes_learning_rate_predictions_and_confusion_matrix(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 3)).astype("uint8")
    truths = np.eye(2, dtype="float32")[[0, 1, 0, 1, 1]]
    layers = [keras.layers.Rescaling(1 / 255), keras.layers.Flatten(), keras.layers.Dense(2, activation="softmax")]
    model = keras.Sequential([keras.Input((8, 8, 3), dtype="uint8"), *layers])
    halving = keras.optimizers.schedules.ExponentialDecay(0.5, 1, 0.5)
    model.compile(keras.optimizers.SGD(halving), "categorical_crossentropy", metrics=[ConfusionAccuracy(2)])
    batches = tf.data.Dataset.from_tensor_slices((images, truths)).batch(5)
    model.fit(
        batches,
        validation_data=batches,
        epochs=2,
        callbacks=[TensorBoardImages(str(tmp_path), batches, LABELS)],
        verbose=0,
    )

    events = EventAccumulator(str(tmp_path / "validation"), size_guidance={"tensors": 0})
    events.Reload()
    rates = [tf.make_ndarray(event.tensor_proto).item() for event in events.Tensors("learning_rate")]
    assert rates == [0.25, 0.125]  # after one step, and after two
    for tag in ("predictions", "confusion_matrix"):
        images = [tf.io.decode_png(event.tensor_proto.string_val[2]) for event in events.Tensors(tag)]
        assert len(images) == 2
        assert min(images[0].shape[:2]) > 300


def test_wrong_predictions_are_red_and_right_ones_green() -> None:
    gray = np.full((2, 8, 8, 3), 128, np.uint8)
    (sheet,) = draw_predictions(gray, np.array([0, 0]), np.float32([[0.9, 0.1], [0.2, 0.8]]), LABELS)
    captions = sheet[112:138].astype(int)
    first, second = captions[:, :112], captions[:, 112:224]
    assert (first[..., 1] > first[..., 0] + 50).any() and not (first[..., 0] > first[..., 1] + 50).any()
    assert (second[..., 0] > second[..., 1] + 50).any() and not (second[..., 1] > second[..., 0] + 50).any()


def test_a_larger_fraction_of_a_row_has_a_darker_cell() -> None:
    (sheet,) = draw_confusion_matrix(np.array([[90, 10], [0, 4]]), LABELS)
    half = sheet.shape[0] // 2
    corners = [int(sheet[y, x].sum()) for y, x in ((half - 9, half - 9), (half - 9, -9), (-9, half - 9), (-9, -9))]
    assert corners[3] < corners[0] < corners[1] < corners[2] == 3 * 255


def test_a_thousand_classes_fit_into_an_image() -> None:
    assert draw_confusion_matrix(np.eye(1000), ["name"] * 1000).shape == (1, 1000, 1000, 3)


def test_three_seconds_at_three_percent_are_due_every_hundred_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(now=0.0, monotonic=lambda: clock.now)
    monkeypatch.setattr(tensorboard_images, "time", clock)
    budget, due = TimeBudget(0.03), []
    for epoch in range(1, 26):
        clock.now += 10  # seconds
        if budget.is_due:
            due.append(epoch)
            with budget:
                clock.now += 3
    assert due == [1, 11, 21]


def test_sample_predictions_are_those_of_the_exported_weights(
    records: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a moving average, the last sample is drawn with the average, as the evaluation, and not with the weights."""
    drawn = []
    monkeypatch.setattr(TensorBoardImages, "_draw_sample", lambda self: drawn.append(self.model.get_weights()))
    trained = train(job_for(records, tmp_path, CUSTOM, epochs=2, ema=0.99, learning_rate=0.01))
    for one, other in zip(drawn[-1], trained.model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
