"""TensorBoardImages: a callback that shows predictions and the confusion matrix in TensorBoard."""

import time
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from PIL import Image, ImageDraw

from efficientmixnet.modules.data.shown import as_rgb
from efficientmixnet.modules.training.confusion_accuracy import ConfusionAccuracy

_TILE = 112  # pixels
_CAPTION = 26
_ROWS, _COLUMNS = 3, 6
_MATRIX = 600  # pixels
_FRACTION = 0.01  # of the time, for sample images
_GREEN, _RED = (40, 130, 60), (190, 40, 40)


class TensorBoardImages(keras.callbacks.Callback):
    """Writes the learning rate, sample images and the evaluation's confusion matrix after every epoch.

    Sample images take at most 1% of the time. If epochs are short, only some of them have images, and the last one.

    Args:
        logs: TensorBoard's folder; None: another worker writes, and this one only contributes its counts.
        batches: The evaluation batches. The first images are shown.
        labels: The labels in the order of the probabilities.
    """

    def __init__(self, logs: str | None, batches: tf.data.Dataset, labels: Sequence[str]) -> None:
        super().__init__()
        self._labels = labels
        self._budget = TimeBudget(_FRACTION)
        self._writer = tf.summary.create_file_writer(f"{logs}/validation") if logs else None
        if logs:
            images, one_hot = next(iter(batches.unbatch().batch(_ROWS * _COLUMNS)))
            self._images, self._class_ids = images.numpy(), one_hot.numpy().argmax(axis=1)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        counts = keras.ops.convert_to_numpy(_counts(self.model))  # a sum over all workers, so every worker must read it
        if self._writer is None:
            return
        with self._writer.as_default(step=epoch):
            tf.summary.scalar("learning_rate", float(self.model.optimizer.learning_rate))
            tf.summary.image("confusion_matrix", draw_confusion_matrix(counts, self._labels))
            if self._budget.is_due or epoch + 1 == self.params["epochs"]:
                with self._budget:
                    self._draw_sample()
        self._writer.flush()

    def _draw_sample(self) -> None:
        probabilities = keras.ops.convert_to_numpy(self.model(self._images, training=False))
        tf.summary.image("predictions", draw_predictions(self._images, self._class_ids, probabilities, self._labels))


def draw_predictions(
    images: np.ndarray, class_ids: np.ndarray, probabilities: np.ndarray, labels: Sequence[str]
) -> np.ndarray:
    """Pixels [n, size, size, channels], class ids [n], probabilities [n, classes] -> one image [1, height, width, 3].

    The caption of each image is the prediction with its probability: green if it is right, else red with the label.
    """
    sheet = Image.new("RGB", (_COLUMNS * _TILE, _ROWS * (_TILE + _CAPTION)), "white")
    pen = ImageDraw.Draw(sheet)
    for number, (image, class_id, row) in enumerate(zip(images, class_ids, probabilities, strict=True)):
        left, top = number % _COLUMNS * _TILE, number // _COLUMNS * (_TILE + _CAPTION)
        pixels = Image.fromarray(np.round(image).astype(np.uint8) if image.shape[-1] == 3 else as_rgb(image))
        sheet.paste(pixels.resize((_TILE - 4, _TILE - 4)), (left + 2, top + 2))
        prediction = int(row.argmax())
        text = f"{labels[prediction][:14]}: {row[prediction]:.2f}"
        right = prediction == class_id
        text += "" if right else f"\nis {labels[class_id][:16]}"
        pen.multiline_text((left + 2, top + _TILE - 2), text, fill=_GREEN if right else _RED, spacing=0)
    return np.asarray(sheet)[np.newaxis]


def draw_confusion_matrix(counts: np.ndarray, labels: Sequence[str]) -> np.ndarray:
    """Counts [classes, classes], labels in rows -> an image [1, side, side, 3], darker for larger row fractions."""
    fractions = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    cell = max(_MATRIX // len(counts), 1)
    colors = np.stack([255 - 215 * fractions, 255 - 145 * fractions, 255 - 75 * fractions], axis=-1).astype(np.uint8)
    sheet = Image.fromarray(colors.repeat(cell, axis=0).repeat(cell, axis=1))
    if cell >= 30:  # pixels, the width of a number
        pen = ImageDraw.Draw(sheet)
        for row, column in np.argwhere(counts > 0):
            ink = "white" if fractions[row, column] > 0.5 else "black"
            pen.text((column * cell + 4, row * cell + cell // 2 - 6), f"{counts[row, column]:.0f}", fill=ink)
        for row, label in enumerate(labels):
            pen.text((2, row * cell), label[: cell // 6], fill=(120, 120, 120))
    return np.asarray(sheet)[np.newaxis]


def _counts(model: keras.Model) -> Any:
    compiled = [metric for group in model.metrics for metric in getattr(group, "metrics", [])]
    return next(metric.counts for metric in compiled if isinstance(metric, ConfusionAccuracy))


class TimeBudget:
    """Limits repeated work to a fraction of the time. The first time, the work is due at once.

    Example:
        >>> if budget.is_due:
        ...     with budget:
        ...         work()
    """

    def __init__(self, fraction: float) -> None:
        self._fraction = fraction
        self._began = self._ended = time.monotonic()
        self._seconds = 0.0  # of the last work

    @property
    def is_due(self) -> bool:
        """Whether enough time has passed for work that takes as long as the last time."""
        return self._seconds <= self._fraction * (time.monotonic() - self._ended)

    def __enter__(self) -> None:
        self._began = time.monotonic()

    def __exit__(self, *_: object) -> None:
        self._ended = time.monotonic()
        self._seconds = self._ended - self._began
