"""ImageClassifier: labels images with any model that gives the probabilities of their labels."""

import io
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import suppress

import numpy as np

from efficientmixnet.components.image_example_gen.array_file import NPY
from efficientmixnet.components.image_example_gen.canonical import canonical
from efficientmixnet.components.image_example_gen.entry import MAX_IMAGE_BYTES, Entry
from efficientmixnet.components.image_example_gen.files import is_refused, is_remote, read_bytes
from efficientmixnet.components.image_example_gen.named_files import find_named, forms
from efficientmixnet.modules.exceptions import BadImage

BATCH = 32
MAX_PIXELS = 100_000_000
_HALF_A_LEVEL = 0.5 / 255  # floats so little beyond 0 and 1 are rounded to black and white


class ImageClassifier(ABC):
    """A model that gives probabilities. A subclass loads it and calls it."""

    labels: list[str]
    """The labels in the order of the probabilities."""
    channels: int
    """The number of channels of the images."""
    has_8_bits: bool
    """Whether the network takes pixels of 8 bits. Floats outside 0 and 1 are lost then."""
    undecodable: type[Exception]
    """The error that `probabilities` raises for a corrupt image."""

    @abstractmethod
    def probabilities(self, encoded: list[bytes]) -> np.ndarray:
        """Returns the probabilities of JPEG, PNG or .npy files, float32 [batch, classes]."""

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
        for start in range(0, len(images), BATCH):
            batch = images[start : start + BATCH]
            read = [self.read(image) for image in batch]
            predictions = iter(self.probabilities_of_each([one for one in read if isinstance(one, bytes)]))
            for image, encoded in zip(batch, read, strict=True):
                found = next(predictions) if isinstance(encoded, bytes) else encoded
                yield image, found if isinstance(found, str) else self.most_probable(found, top)

    def read(self, image: str | bytes) -> bytes | str:
        """Returns an image as a file that `probabilities` takes, or the reason why it cannot be classified.

        Args:
            image: The path, or the encoded bytes.
        """
        found = read_image(image, self.channels)
        lost = _lost_floats(found) if self.has_8_bits and isinstance(found, bytes) else None
        return lost or found

    def probabilities_of_each(self, encoded: list[bytes]) -> list[np.ndarray | str]:
        """Returns the probabilities of each file, float32 [classes], or the reason why there are none."""
        if not encoded:
            return []
        try:
            return list(self.probabilities(encoded))
        except self.undecodable:
            if len(encoded) == 1:
                return ["is a truncated or corrupt file"]
            # One corrupt image makes the whole batch fail.
            return [found for one in encoded for found in self.probabilities_of_each([one])]

    def most_probable(self, probabilities: np.ndarray, top: int) -> list[tuple[str, float]]:
        """Returns the most probable labels of an image, each with its probability, from those of all classes."""
        return [(self.labels[i], float(probabilities[i])) for i in (-probabilities).argsort()[:top]]


def read_image(image: str | bytes, channels: int = 3) -> bytes | str:
    """Returns an image as a JPEG, PNG or .npy file, or the reason why it cannot be read.

    Args:
        image: The path, or the encoded bytes.
        channels: The number of channels that the image must have.
    """
    try:
        return canonical(image if isinstance(image, bytes) else _read(image), MAX_PIXELS, channels)[0]
    except BadImage as error:
        return error.without_setting
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"


def _lost_floats(file: bytes) -> str | None:
    """Returns the reason to refuse an array of floats whose values a network of 8 bits would get as black or white."""
    if not file.startswith(NPY):
        return None
    values = np.load(io.BytesIO(file), allow_pickle=False)  # written by as_npy
    low, high = values.min(), values.max()
    if values.dtype != np.float32 or (low >= -_HALF_A_LEVEL and high <= 1 + _HALF_A_LEVEL):
        return None
    return f"has floats from {low:g} to {high:g}; give float32 (0 to 1) or uint8 (0 to 255)"


def _read(path: str) -> bytes:
    """Returns the bytes of a file, whose name may have another form of Unicode than the path."""
    if "\0" in path:
        raise BadImage("has a name with a zero byte")
    if is_refused(path):
        raise BadImage("is not on this machine, in gs:// or in s3://")
    if is_remote(path):
        *others, last = forms(path)
        for form in others:  # A store is only asked for them if there is no file of this name.
            with suppress(FileNotFoundError):
                return read_bytes(Entry(form, form, label=""))
        return read_bytes(Entry(last, last, label=""))
    stored, file = find_named("", path)
    if file and file.size > MAX_IMAGE_BYTES:
        raise BadImage(f"has {file.size:,} bytes, more than {MAX_IMAGE_BYTES:,}")
    return read_bytes(Entry(stored, stored, label=""))
