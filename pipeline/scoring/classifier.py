"""Classifier: predicts the labels of images with a pushed model."""

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from efficientmixnet.modules import features
from efficientmixnet.modules.exceptions import BadImage, BadInput
from efficientmixnet.modules.exported_model import newest_version
from efficientmixnet.pipeline.local.imports_at_once import imports_at_once
from efficientmixnet.pipeline.scoring.damaged_model import damaged_model_named

if TYPE_CHECKING:
    import numpy as np

_BATCH = 32
_MAX_PIXELS = 100_000_000


class Classifier:
    """A pushed model.

    Args:
        folder: The folder of the model, the folder of pushed models for the newest one, or the output folder of runs.
        optimize: Whether TensorFlow optimizes the graph, which takes a second and pays from hundreds of images.

    Raises:
        BadInput: The folder has no model that a run has pushed.

    Example:
        >>> list(Classifier("runs/pushed").classify(["cat.jpg"], top=2))
        [('cat.jpg', [('cat', 0.93), ('dog', 0.05)])]
    """

    def __init__(self, folder: str, optimize: bool = True) -> None:
        path = newest_version(Path(folder))
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow prints messages when it is imported.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Google's packages warn about Python versions.
            import tensorflow as tf

        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": not optimize})
        with damaged_model_named(path), imports_at_once():
            model = tf.saved_model.load(str(path))
            self._classify = model.signatures["serving_default"]
            self.labels = [label.decode() for label in model.class_labels().numpy()]
            self._embed = getattr(model, "embeddings", None)
        self._to_tensor = tf.constant
        self._path = path
        self.undecodable = tf.errors.InvalidArgumentError
        """The error that `probabilities` raises for a corrupt image."""

    def classify(
        self, images: Sequence[str | bytes], top: int
    ) -> Iterator[tuple[str | bytes, list[tuple[str, float]] | str]]:
        """Yields each image with its most probable labels, or with the reason why it cannot be read.

        Args:
            images: The paths of the images, or their encoded bytes.
            top: The number of labels for each image.

        Yields:
            The image as given, and a list of (label, probability) or a reason.
        """
        for start in range(0, len(images), _BATCH):
            batch = images[start : start + _BATCH]
            read = [read_image(image) for image in batch]
            predictions = iter(self.probabilities_of_each([one for one in read if isinstance(one, bytes)]))
            for image, encoded in zip(batch, read, strict=True):
                found = next(predictions) if isinstance(encoded, bytes) else encoded
                yield image, found if isinstance(found, str) else self.most_probable(found, top)

    def probabilities(self, encoded: list[bytes]) -> "np.ndarray":
        """Returns the probabilities of JPEG or PNG files, float32 [batch, classes]."""
        return self._classify(self._to_tensor(encoded))[features.PROBABILITIES].numpy()

    def embeddings(self, encoded: list[bytes]) -> "np.ndarray":
        """Returns the mean of the last feature maps for JPEG or PNG files, float32 [batch, filters].

        Raises:
            BadInput: An earlier version has pushed the model.
        """
        if self._embed is None:
            raise BadInput(f"{self._path}: has no embeddings, because an earlier version pushed it; run it again")
        return self._embed(self._to_tensor(encoded)).numpy()

    def in_batches(self, call: Callable[[list[bytes]], "np.ndarray"], encoded: list[bytes]) -> "np.ndarray":
        """Returns what `probabilities` or `embeddings` returns for any number of JPEG or PNG files.

        Raises:
            BadInput: A file is corrupt.
        """
        import numpy as np

        found = []
        for start in range(0, len(encoded), _BATCH):
            batch = encoded[start : start + _BATCH]
            try:
                found.append(call(batch))
            except self.undecodable:
                reasons = enumerate(self.probabilities_of_each(batch), start)
                bad = next((number for number, one in reasons if isinstance(one, str)), start)
                raise BadInput(f"image {bad}: is a truncated or corrupt file") from None
        return np.concatenate(found) if found else np.zeros([0, 0], np.float32)

    def probabilities_of_each(self, encoded: list[bytes]) -> "list[np.ndarray | str]":
        """Returns for each JPEG or PNG file the probabilities, float32 [classes], or the reason why there are none."""
        if not encoded:
            return []
        try:
            return list(self.probabilities(encoded))
        except self.undecodable:
            if len(encoded) == 1:
                return ["is a truncated or corrupt file"]
            # One corrupt image makes the whole batch fail.
            return [found for one in encoded for found in self.probabilities_of_each([one])]

    def most_probable(self, probabilities: "np.ndarray", top: int) -> list[tuple[str, float]]:
        """Returns the most probable labels of an image, each with its probability, from those of all classes."""
        return [(self.labels[i], float(probabilities[i])) for i in (-probabilities).argsort()[:top]]


def read_image(image: str | bytes) -> bytes | str:
    """Returns an image as a JPEG or PNG file, or the reason why it cannot be read.

    Args:
        image: The path, or the encoded bytes.
    """
    from efficientmixnet.components.image_example_gen.files import read_bytes
    from efficientmixnet.components.image_example_gen.image import canonical
    from efficientmixnet.components.image_example_gen.sources import Entry

    try:
        encoded = image if isinstance(image, bytes) else read_bytes(Entry(image, Path(image).name, label=""))
        return canonical(encoded, _MAX_PIXELS)[0]
    except BadImage as error:
        return str(error)
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"
