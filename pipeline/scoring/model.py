"""load: a pushed model in Python, which predicts labels and computes embeddings."""

from collections.abc import Iterable
from os import PathLike, fspath

import numpy as np

from efficientmixnet.components.image_example_gen.array_file import as_npy
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.pipeline.scoring.classifier import Classifier
from efficientmixnet.pipeline.scoring.image_classifier import read_image

Image = str | PathLike[str] | bytes | np.ndarray

_WITH_GRAY_AND_ALPHA = (1, 3, 4)


class Model:
    """A pushed model. `load` returns it.

    Images are paths, encoded files (bytes) or arrays of uint8, uint16 or float32, [height, width] or [height, width,
    channels]. Arrays are upright, with the channels in the order of the training images: red, green, blue. A model of
    three channels takes arrays of uint8 and uint16 with 1 or 4 channels too: gray, or with alpha. Several images are a
    list, or an array with another axis in front.

    Args:
        classifier: The loaded SavedModel.
    """

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier
        self.channels: int = classifier.channels
        """The number of channels of the images."""
        self.labels: list[str] = classifier.labels
        """The labels in the order of the probabilities."""

    def predict(self, images: Iterable[Image], top_k: int = 3) -> list[list[tuple[str, float]]]:
        """Returns for each image its most probable labels, each with its probability.

        Args:
            images: The images.
            top_k: The number of labels for each image.

        Raises:
            BadInput: An image cannot be read.

        Example:
            >>> efficientmixnet.load("runs").predict(["cat.jpg"], top_k=2)
            [[('cat', 0.93), ('dog', 0.05)]]
        """
        return [self._classifier.most_probable(found, top_k) for found in self.probabilities(images)]

    def probabilities(self, images: Iterable[Image]) -> np.ndarray:
        """Returns the probabilities of all classes, float32 [images, classes], in the order of `labels`.

        Args:
            images: The images.

        Raises:
            BadInput: An image cannot be read.
        """
        return self._classifier.in_batches(self._classifier.probabilities, self._encoded(images))

    def embed(self, images: Iterable[Image]) -> np.ndarray:
        """Returns the embeddings, float32 [images, filters]: the mean of the last feature maps.

        Images that look alike to the network have similar embeddings, for a search or for a clustering.

        Args:
            images: The images.

        Raises:
            BadInput: An image cannot be read, or an earlier version has pushed the model.
        """
        return self._classifier.in_batches(self._classifier.embeddings, self._encoded(images))

    def _encoded(self, images: Iterable[Image]) -> list[bytes]:
        if isinstance(images, str | bytes | PathLike):
            raise BadInput("images: give a list of images, such as ['photo.jpg']")
        if isinstance(images, np.ndarray) and self._is_one_image(images):
            raise BadInput(
                f"images: an array of shape {list(images.shape)} is one image; give a list of images, such as [array]"
            )
        return [self._as_file(image, number) for number, image in enumerate(images)]

    def _is_one_image(self, pixels: np.ndarray) -> bool:
        """Whether the rows of an image would be taken for images. Three axes can also be a stack of gray images."""
        return pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[-1] in (*_WITH_GRAY_AND_ALPHA, self.channels))

    def _as_file(self, image: Image, number: int) -> bytes:
        """A JPEG, PNG or .npy file."""
        if isinstance(image, str | bytes | PathLike):
            given: str | bytes | PathLike[str] = image
        else:
            given = _as_file(np.asarray(image), self.channels, number)
        found = read_image(given if isinstance(given, bytes) else fspath(given), self.channels)
        if isinstance(found, str):
            raise BadInput(f"{f'image {number}' if isinstance(given, bytes) else given}: {found}")
        return found


def load(model: str | PathLike[str]) -> Model:
    """Loads a pushed model.

    Args:
        model: A pushed model, the folder of pushed models for the newest one, or the output folder of runs.

    Raises:
        BadInput: The folder has no model that a run has pushed, or `model` is None, because the run has pushed none.

    Example:
        >>> model = efficientmixnet.load("runs")
        >>> model.predict(["cat.jpg"], top_k=1)
        [[('cat', 0.93)]]
    """
    if model is None:
        raise BadInput(
            "model: the run has pushed no model, and run.reason says why; load(OUTPUT) loads the newest pushed model"
        )
    return Model(Classifier(fspath(model)))


def _as_file(pixels: np.ndarray, channels: int, number: int) -> bytes:
    """Returns an array as an .npy file, or as a PNG file if it is a photograph."""
    import tensorflow as tf

    if pixels.ndim == 2:
        pixels = pixels[..., np.newaxis]
    is_photograph = channels == 3 and pixels.dtype in (np.uint8, np.uint16)
    allowed = _WITH_GRAY_AND_ALPHA if is_photograph else (channels,)
    if pixels.ndim != 3 or pixels.shape[-1] not in allowed or 0 in pixels.shape:
        count = " or ".join(map(str, allowed))
        raise BadInput(
            f"image {number}: an array of shape {list(pixels.shape)}; give [height, width, {count} channels]"
        )
    if pixels.dtype not in (np.uint8, np.uint16, np.float32):
        raise BadInput(
            f"image {number}: an array of {pixels.dtype}; give uint8 (0 to 255), uint16 (0 to 65535) or float32"
        )
    return bytes(tf.io.encode_png(pixels).numpy()) if is_photograph else as_npy(pixels)
