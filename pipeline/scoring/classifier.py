"""Classifier: a pushed model names images on the command line."""

import os
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from efficientmixnet.modules import features
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.exported_model import newest_version

if TYPE_CHECKING:
    import numpy as np

_BATCH = 32
_MAX_PIXELS = 100_000_000


class Classifier:
    """Loads the SavedModel in `folder`, or the newest version below it.

    Raises:
        BadInput: there is no model that was pushed by a run.
    """

    def __init__(self, folder: str) -> None:
        path = newest_version(Path(folder))
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # must be set before the import: TensorFlow greets otherwise
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Google's packages announce which Pythons they will support
            import tensorflow as tf

        try:
            model = tf.saved_model.load(str(path))
            self._classify = model.signatures["serving_default"]
            self.labels = [label.decode() for label in model.class_labels().numpy()]
        except (OSError, KeyError, AttributeError, tf.errors.OpError) as error:
            raise BadInput(f"{path}: is no model that a run pushed ({type(error).__name__})") from None
        self._to_tensor = tf.constant
        self.undecodable = tf.errors.InvalidArgumentError
        """What `probabilities` raises where an image is broken."""

    def classify(self, images: Sequence[str], top: int) -> Iterator[tuple[str, list[tuple[str, float]] | str]]:
        """Each image with its likeliest labels and their probabilities, or with the reason why it has none."""
        for start in range(0, len(images), _BATCH):
            names = images[start : start + _BATCH]
            read = [_read(Path(name)) for name in names]
            likeliest = iter(self._likeliest([encoded for encoded in read if isinstance(encoded, bytes)], top))
            for name, encoded in zip(names, read, strict=True):
                yield name, next(likeliest) if isinstance(encoded, bytes) else encoded

    def probabilities(self, encoded: list[bytes]) -> "np.ndarray":
        """Encoded images, JPEG or PNG -> float32 [batch, classes]."""
        return self._classify(self._to_tensor(encoded))[features.PROBABILITIES].numpy()

    def _likeliest(self, encoded: list[bytes], top: int) -> list[list[tuple[str, float]]]:
        if not encoded:
            return []
        probabilities = self.probabilities(encoded)
        order = (-probabilities).argsort(axis=1)[:, :top]
        return [[(self.labels[i], float(row[i])) for i in best] for row, best in zip(probabilities, order, strict=True)]


def _read(path: Path) -> bytes | str:
    """The image's bytes as ingest takes them, or why it cannot be read."""
    from efficientmixnet.components.image_example_gen.image import read
    from efficientmixnet.components.image_example_gen.sources import Entry, LeftOut

    example = read(Entry(str(path), path.name, label=""), _MAX_PIXELS)
    if isinstance(example, LeftOut):
        return example.reason
    return example.features.feature[features.ENCODED].bytes_list.value[0]
