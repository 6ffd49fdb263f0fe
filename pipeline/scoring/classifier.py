"""Classifier: predicts the labels of images with a pushed model."""

import os
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from efficientmixnet.modules import features
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.exported_model import newest_version
from efficientmixnet.modules.stored_file import reason

if TYPE_CHECKING:
    import numpy as np

_BATCH = 32
_MAX_PIXELS = 100_000_000


class Classifier:
    """A pushed model.

    Args:
        folder: The folder of the model, or the folder of pushed models for the newest one.

    Raises:
        BadInput: The folder has no model that a run has pushed.

    Example:
        >>> list(Classifier("runs/pushed").classify(["cat.jpg"], top=2))
        [('cat.jpg', [('cat', 0.93), ('dog', 0.05)])]
    """

    def __init__(self, folder: str) -> None:
        path = newest_version(Path(folder))
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow prints messages when it is imported.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Google's packages warn about Python versions.
            import tensorflow as tf

        try:
            model = tf.saved_model.load(str(path))
            self._classify = model.signatures["serving_default"]
            self.labels = [label.decode() for label in model.class_labels().numpy()]
        except (MemoryError, tf.errors.ResourceExhaustedError):
            raise
        except Exception as error:  # TensorFlow raises many kinds, some of them without a message
            raise BadInput(
                f"{path}: is damaged, or is not a model that a run has pushed ({reason(error)}); give another folder"
            ) from error
        self._to_tensor = tf.constant
        self.undecodable = tf.errors.InvalidArgumentError
        """The error that `probabilities` raises for a corrupt image."""

    def classify(self, images: Sequence[str], top: int) -> Iterator[tuple[str, list[tuple[str, float]] | str]]:
        """Yields each image with its most probable labels, or with the reason why it cannot be read.

        Args:
            images: The paths of the images.
            top: The number of labels for each image.

        Yields:
            The path, and a list of (label, probability) or a reason.
        """
        for start in range(0, len(images), _BATCH):
            names = images[start : start + _BATCH]
            read = [_read(Path(name)) for name in names]
            predictions = iter(self._most_probable([encoded for encoded in read if isinstance(encoded, bytes)], top))
            for name, encoded in zip(names, read, strict=True):
                yield name, next(predictions) if isinstance(encoded, bytes) else encoded

    def probabilities(self, encoded: list[bytes]) -> "np.ndarray":
        """Returns the probabilities of JPEG or PNG files, float32 [batch, classes]."""
        return self._classify(self._to_tensor(encoded))[features.PROBABILITIES].numpy()

    def _most_probable(self, encoded: list[bytes], top: int) -> list[list[tuple[str, float]]]:
        if not encoded:
            return []
        probabilities = self.probabilities(encoded)
        order = (-probabilities).argsort(axis=1)[:, :top]
        return [[(self.labels[i], float(row[i])) for i in best] for row, best in zip(probabilities, order, strict=True)]


def _read(path: Path) -> bytes | str:
    """The image as ImageExampleGen stores it, or the reason why it cannot be read."""
    from efficientmixnet.components.image_example_gen.image import read
    from efficientmixnet.components.image_example_gen.sources import Entry, LeftOut

    example = read(Entry(str(path), path.name, label=""), _MAX_PIXELS)
    if isinstance(example, LeftOut):
        return example.reason
    return example.features.feature[features.ENCODED].bytes_list.value[0]
