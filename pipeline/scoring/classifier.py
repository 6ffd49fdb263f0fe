"""Classifier: predicts the labels of images with a pushed model."""

import io
import os
import warnings
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from efficientmixnet.modules import features
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.exported_model import channels_of, newest_version
from efficientmixnet.pipeline.literal_path import literal_path
from efficientmixnet.pipeline.local.imports_at_once import imports_at_once
from efficientmixnet.pipeline.scoring.damaged_model import damaged_model_named
from efficientmixnet.pipeline.scoring.image_classifier import BATCH, ImageClassifier
from efficientmixnet.pipeline.scoring.quiet_load import quiet_load

if TYPE_CHECKING:
    import numpy as np


class Classifier(ImageClassifier):
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
        with quiet_load(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Google's packages warn about Python versions.
            import tensorflow as tf

        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": not optimize})
        with damaged_model_named(path), imports_at_once(), literal_path(path) as literal:
            model = tf.saved_model.load(str(literal))
            self._classify = model.signatures["serving_default"]
            self.labels = [label.decode() for label in model.class_labels().numpy()]
            self._activations = getattr(model, "class_activations", None)
            self._embed = getattr(model, "embeddings", None)
            inputs = getattr(model, "classify_inputs", None)  # an earlier version has pushed a model without it
            self.has_8_bits = inputs is not None and inputs.inputs[0].dtype == tf.uint8
            self.channels = channels_of(path)
        self._to_tensor = tf.constant
        self._path = path
        self.undecodable = tf.errors.InvalidArgumentError

    def probabilities(self, encoded: list[bytes]) -> "np.ndarray":
        """Returns the probabilities of JPEG, PNG or .npy files, float32 [batch, classes]."""
        return self._classify(self._to_tensor(encoded, "string"))[features.PROBABILITIES].numpy()

    def embeddings(self, encoded: list[bytes]) -> "np.ndarray":
        """Returns the mean of the last feature maps for JPEG, PNG or .npy files, float32 [batch, filters].

        Raises:
            BadInput: An earlier version has pushed the model.
        """
        if self._embed is None:
            raise BadInput(f"{self._path}: has no embeddings, because an earlier version pushed it; run it again")
        return self._embed(self._to_tensor(encoded, "string")).numpy()

    def activations(self, encoded: bytes, class_id: int) -> "tuple[np.ndarray, np.ndarray] | None":
        """Returns what the network sees of an encoded image, [size, size, channels], and its class activation map.

        The map is float32 [height, width]. Returns None if an earlier version has pushed the model.
        """
        if self._activations is None:
            return None
        found = self._activations(self._to_tensor([encoded]), self._to_tensor([class_id], "int64"))
        return found["inputs"][0].numpy(), found["activations"][0].numpy()

    def in_batches(self, call: Callable[[list[bytes]], "np.ndarray"], encoded: Iterable[bytes]) -> "np.ndarray":
        """Returns what `probabilities` or `embeddings` returns for any number of JPEG, PNG or .npy files.

        Args:
            call: One of the two.
            encoded: The files. Only those of one batch are drawn at a time, so that a generator needs little memory.

        Raises:
            BadInput: A file is corrupt.
        """
        import numpy as np

        files, found, start = iter(encoded), [], 0
        while batch := list(islice(files, BATCH)):
            try:
                found.append(call(batch))
            except self.undecodable:
                reasons = enumerate(self.probabilities_of_each(batch), start)
                bad = next((number for number, one in reasons if isinstance(one, str)), start)
                raise BadInput(f"image {bad}: is a truncated or corrupt file") from None
            start += len(batch)
            del batch  # before the next files are drawn
        # An image of one pixel shows the number of columns. oneDNN refuses a batch of none.
        return np.concatenate(found) if found else call([_blank(self.channels)])[:0]


def _blank(channels: int) -> bytes:
    """Returns the file of a black image with one pixel."""
    import numpy as np
    from PIL import Image

    from efficientmixnet.components.image_example_gen.array_file import as_npy

    pixels = np.zeros((1, 1, channels), np.uint8)
    if channels != 3:
        return as_npy(pixels)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()
