"""Watching: what TensorBoard shows of each epoch beside its curves: images with predictions, and the confusions."""

import time
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from PIL import Image, ImageDraw

from efficientmixnet.modules.training.confusion_accuracy import ConfusionAccuracy

_TILE = 112  # pixels
_CAPTION = 26
_ROWS, _COLUMNS = 3, 6
_MATRIX = 600  # pixels
_SHARE = 0.01  # of the time, for images
_GREEN, _RED = (40, 130, 60), (190, 40, 40)


class Watching(keras.callbacks.Callback):
    """Writes the learning rate, sample images and the evaluation's confusion matrix after every epoch.

    Where epochs take seconds, only some of them, the last one too, have sample images, which take 1 % of the time.

    Args:
        logs: TensorBoard's folder; None: another worker writes, and this one only adds its counts.
        batches: Of evaluation, the images in the order of which the first are shown.
    """

    def __init__(self, logs: str | None, batches: tf.data.Dataset, labels: Sequence[str]) -> None:
        super().__init__()
        self._labels = labels
        self._ration = Ration(_SHARE)
        self._writer = tf.summary.create_file_writer(f"{logs}/validation") if logs else None
        if logs:
            images, truths = next(iter(batches.unbatch().batch(_ROWS * _COLUMNS)))
            self._images, self._truths = images.numpy(), truths.numpy().argmax(axis=1)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        counts = keras.ops.convert_to_numpy(_counts(self.model))  # of all workers, so all of them ask
        if self._writer is None:
            return
        with self._writer.as_default(step=epoch):
            tf.summary.scalar("learning_rate", float(self.model.optimizer.learning_rate))
            tf.summary.image("confusion_matrix", draw_confusions(counts, self._labels))
            if self._ration.is_due or epoch + 1 == self.params["epochs"]:
                with self._ration:
                    self._draw_sample()
        self._writer.flush()

    def _draw_sample(self) -> None:
        predictions = keras.ops.convert_to_numpy(self.model(self._images, training=False))
        tf.summary.image("predictions", draw_predictions(self._images, self._truths, predictions, self._labels))


def draw_predictions(
    images: np.ndarray, truths: np.ndarray, predictions: np.ndarray, labels: Sequence[str]
) -> np.ndarray:
    """uint8 [n, size, size, 3], class ids [n], probabilities [n, classes] -> one image [1, height, width, 3].

    Under each stands the answer with its probability, green if it is right; if not, red with the truth below it.
    """
    sheet = Image.new("RGB", (_COLUMNS * _TILE, _ROWS * (_TILE + _CAPTION)), "white")
    pen = ImageDraw.Draw(sheet)
    for number, (image, truth, shares) in enumerate(zip(images, truths, predictions, strict=True)):
        left, top = number % _COLUMNS * _TILE, number // _COLUMNS * (_TILE + _CAPTION)
        sheet.paste(Image.fromarray(image).resize((_TILE - 4, _TILE - 4)), (left + 2, top + 2))
        answer = int(shares.argmax())
        text = f"{labels[answer][:14]}: {shares[answer]:.2f}"
        right = answer == truth
        text += "" if right else f"\nis {labels[truth][:16]}"
        pen.multiline_text((left + 2, top + _TILE - 2), text, fill=_GREEN if right else _RED, spacing=0)
    return np.asarray(sheet)[np.newaxis]


def draw_confusions(counts: np.ndarray, labels: Sequence[str]) -> np.ndarray:
    """[classes, classes], truths by row -> an image [1, side, side, 3]: the darker, the larger a share of the row."""
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    cell = max(_MATRIX // len(counts), 1)
    colors = np.stack([255 - 215 * shares, 255 - 145 * shares, 255 - 75 * shares], axis=-1).astype(np.uint8)
    sheet = Image.fromarray(colors.repeat(cell, axis=0).repeat(cell, axis=1))
    if cell >= 30:  # pixels, of which a number takes as many
        pen = ImageDraw.Draw(sheet)
        for row, column in np.argwhere(counts > 0):
            ink = "white" if shares[row, column] > 0.5 else "black"
            pen.text((column * cell + 4, row * cell + cell // 2 - 6), f"{counts[row, column]:.0f}", fill=ink)
        for row, label in enumerate(labels):
            pen.text((2, row * cell), label[: cell // 6], fill=(120, 120, 120))
    return np.asarray(sheet)[np.newaxis]


def _counts(model: keras.Model) -> Any:
    compiled = [metric for group in model.metrics for metric in getattr(group, "metrics", [])]
    return next(metric.counts for metric in compiled if isinstance(metric, ConfusionAccuracy))


class Ration:
    """`with ration:` stands around what is rationed; the first time it is due at once."""

    def __init__(self, share: float) -> None:
        self._share = share
        self._began = self._ended = time.monotonic()
        self._seconds = 0.0  # that it took last

    @property
    def is_due(self) -> bool:
        """Whether so much time has passed since the last time that the next one, if it costs as much, is its share."""
        return self._seconds <= self._share * (time.monotonic() - self._ended)

    def __enter__(self) -> None:
        self._began = time.monotonic()

    def __exit__(self, *_: object) -> None:
        self._ended = time.monotonic()
        self._seconds = self._ended - self._began
