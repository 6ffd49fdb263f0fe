"""load: a pushed model in Python, which predicts labels and computes embeddings."""

from collections.abc import Iterable, Iterator, Mapping
from io import IOBase
from os import PathLike, fsdecode
from typing import Any

import numpy as np
import PIL.Image

from efficientmixnet.components.image_example_gen.array_file import as_npy
from efficientmixnet.modules.exceptions import BadImage, BadInput
from efficientmixnet.modules.files.stored_file import reason
from efficientmixnet.pipeline.api_path import api_path
from efficientmixnet.pipeline.scoring.classifier import Classifier
from efficientmixnet.pipeline.scoring.image_classifier import MAX_PIXELS
from efficientmixnet.pipeline.scoring.pillow_file import pillow_file

Image = str | PathLike[str] | bytes | PIL.Image.Image | np.ndarray

_WITH_GRAY_AND_ALPHA = (1, 3, 4)
_GIVE = "give a path, bytes, an image of Pillow or an array"
_NO_NUMBERS = "OSUmM"  # the kinds of NumPy's types for objects, texts and times


class Model:
    """A pushed model. `load` returns it.

    Images are paths, encoded files (bytes), images of Pillow or arrays of uint8 (0 to 255), uint16 (0 to 65535) or
    float32 (0 to 1), [height, width] or [height, width, channels]. Tensors of TensorFlow, JAX and PyTorch are arrays
    too. Arrays are upright, with the channels in the order of the training images: red, green, blue. A model of three
    channels takes arrays of uint8 and uint16 with 1 or 4 channels too: gray, or with alpha. Several images are a list,
    a generator, or an array with another axis in front. Only 32 of them are read at a time.

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
            top_k: The number of labels for each image, at least 1.

        Raises:
            BadInput: An image cannot be read, or `top_k` is not a whole number of at least 1.

        Example:
            >>> efficientmixnet.load("runs").predict(["cat.jpg"], top_k=2)
            [[('cat', 0.93), ('dog', 0.05)]]
        """
        if not isinstance(top_k, int | np.integer):
            raise BadInput(f"top_k: {top_k!r} is not a whole number; give the number of labels, such as 3")
        if top_k < 1:
            raise BadInput(f"top_k: {top_k} is less than 1; give the number of labels for each image, such as 3")
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

    def _encoded(self, images: Iterable[Image]) -> Iterator[bytes]:
        """The images as files, each of which is made when it is drawn. One image that is no list is refused at once."""
        if isinstance(images, str | bytes | PathLike):
            raise BadInput("images: give a list of images, such as ['photo.jpg']")
        if isinstance(images, PIL.Image.Image):
            raise BadInput("images: is one image of Pillow; give a list of images, such as [image]")
        shape = getattr(images, "shape", None)  # of an array or of a tensor, whose axes would be iterated
        if shape is not None and self._is_one_image(*shape):
            raise BadInput(
                f"images: an array of shape {list(shape)} is one image; give a list of images, such as [array]"
            )
        try:
            if isinstance(images, Mapping | IOBase):  # of which the keys or the lines would be iterated
                raise TypeError
            drawn = iter(images)
        except (TypeError, NotImplementedError):  # the latter by symbolic tensors of Keras
            raise BadInput(
                f"images: is of type {type(images).__name__}; give a list of images, such as ['photo.jpg']"
            ) from None
        return (self._as_file(image, number) for number, image in enumerate(drawn))

    def _is_one_image(self, *shape: int) -> bool:
        """Whether the rows of an image would be taken for images. Three axes can also be a stack of gray images."""
        return len(shape) == 2 or (len(shape) == 3 and shape[-1] in (*_WITH_GRAY_AND_ALPHA, self.channels))

    def _as_file(self, image: Image, number: int) -> bytes:
        """A JPEG, PNG or .npy file."""
        try:
            found = self._classifier.read(self._given(image))
            if isinstance(found, str):
                raise BadImage(found)
        except BadImage as error:
            name = fsdecode(image) if isinstance(image, str | PathLike) else f"image {number}"
            raise BadInput(f"{name}: {error.without_setting}") from None
        return found

    def _given(self, image: Image) -> str | bytes:
        """The path, or the content of a file."""
        if isinstance(image, bytes):
            return image
        if isinstance(image, str | PathLike):
            return fsdecode(image)
        if isinstance(image, PIL.Image.Image):
            return pillow_file(image)
        return _array_file(_as_array(image), self.channels)


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
    return Model(Classifier(api_path("model", model)))


def _as_array(image: Any) -> np.ndarray:
    """A tensor of any library, or a nested list of numbers, as an array."""
    kind = type(image).__name__
    try:
        array = np.asarray(image)
    except MemoryError:
        raise
    except Exception as error:  # Each library raises its own, and NumPy for rows of different lengths.
        raise BadImage(f"is of type {kind}, and no array ({reason(error)}); {_GIVE}") from None
    if not isinstance(image, np.ndarray) and (not array.ndim or array.dtype.kind in _NO_NUMBERS):
        raise BadImage(f"is of type {kind}; {_GIVE}")
    return array


def _array_file(pixels: np.ndarray, channels: int) -> bytes:
    """Returns an array as an .npy file, or as a PNG file if it is a photograph."""
    import tensorflow as tf

    if pixels.ndim == 2:
        pixels = pixels[..., np.newaxis]
    is_photograph = channels == 3 and pixels.dtype in (np.uint8, np.uint16)
    allowed = _WITH_GRAY_AND_ALPHA if is_photograph else (channels,)
    if pixels.ndim != 3 or pixels.shape[-1] not in allowed or 0 in pixels.shape:
        count = " or ".join(map(str, allowed))
        raise BadImage(f"an array of shape {list(pixels.shape)}; give [height, width, {count} channels]")
    height, width, _ = pixels.shape
    if height * width > MAX_PIXELS:  # TensorFlow could not encode it
        raise BadImage(f"has {width} x {height} pixels, over the limit of {MAX_PIXELS:,}; make it smaller")
    if pixels.dtype not in (np.uint8, np.uint16, np.float32):
        raise BadImage(f"an array of {pixels.dtype}; give uint8 (0 to 255), uint16 (0 to 65535) or float32 (0 to 1)")
    return bytes(tf.io.encode_png(pixels).numpy()) if is_photograph else as_npy(pixels)
