"""Preprocessing of images and decoding of predictions, as for ImageNet."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


class Prediction(NamedTuple):
    """A predicted class: its label, its name and its score."""

    label: int
    name: str
    score: float


def preprocess_input(
    images: Any,
    data_format: str | None = None,
    mean: Sequence[float] = MEAN,
    std: Sequence[float] = STD,
) -> Any:
    """Scales pixels: (pixels / 255 - mean) / std, in float32.

    Args:
        images: (..., channels), pixels in [0, 255]. A NumPy array gives a NumPy array.
        data_format: "channels_last" or "channels_first". None: Keras's image_data_format().
        mean, std: Per channel, for pixels in [0, 1]. The default is ImageNet's.

    Returns:
        The scaled images, of the same shape.

    Raises:
        ValueError: mean and std do not have one value per channel.

    Example:
        >>> preprocess_input(np.full((1, 1, 1), 127.5), mean=[0.25], std=[0.5])
        array([[[0.5]]], dtype=float32)
    """
    data_format = data_format or keras.config.image_data_format()
    axis = -1 if data_format == "channels_last" else -3
    if images.shape[axis] != len(mean):
        raise ValueError(
            f"preprocess_input: images of {images.shape[axis]} channels, mean and std of {len(mean)}; "
            "give mean and std of these images"
        )
    shape = (-1,) if axis == -1 else (-1, 1, 1)
    offset, scale = (np.reshape(np.asarray(x, "float32"), shape) * np.float32(255) for x in (mean, std))
    if isinstance(images, np.ndarray):
        return (images.astype("float32") - offset) / scale
    return (ops.cast(images, "float32") - offset) / scale


def center_crop_and_resize(image: Any, image_size: int, crop_padding: int = 32, interpolation: str = "bicubic") -> Any:
    """Crops the central square and resizes it.

    The side of the square is image_size / (image_size + crop_padding) of the shorter side: 0.875 for 224.

    Args:
        image: (..., height, width, channels).
        image_size: The side of the result in pixels.
        crop_padding: See above.
        interpolation: As in keras.ops.image.resize.

    Returns:
        (..., image_size, image_size, channels). A NumPy array gives a NumPy array.
    """
    height, width = image.shape[-3:-1]
    side = int(image_size / (image_size + crop_padding) * min(height, width))
    top, left = (height - side + 1) // 2, (width - side + 1) // 2
    middle = image[..., top : top + side, left : left + side, :]
    resized = ops.image.resize(
        ops.cast(middle, "float32"), (image_size, image_size), interpolation, data_format="channels_last"
    )
    return np.asarray(resized) if isinstance(image, np.ndarray) else resized


def decode_predictions(
    predictions: Any, top: int = 5, class_names: Sequence[str] | None = None
) -> list[list[Prediction]]:
    """Returns the `top` classes of each image, best first.

    Args:
        predictions: (batch, classes).
        top: The number of classes per image.
        class_names: One name per class. None: ImageNet's.

    Returns:
        A list of Predictions for each image.

    Raises:
        ValueError: The shape or the number of names is wrong.
    """
    scores = ops.convert_to_numpy(predictions)
    if scores.ndim != 2:
        raise ValueError(f"decode_predictions: predictions of shape {scores.shape}, give (batch, classes)")
    names = imagenet_class_names() if class_names is None else class_names
    if scores.shape[1] != len(names):
        raise ValueError(
            f"decode_predictions: {scores.shape[1]} classes, but {len(names)} class_names; give one for each"
        )
    best = np.argsort(-scores, axis=1, kind="stable")[:, :top]
    return [
        [Prediction(int(i), names[i], float(row[i])) for i in order] for row, order in zip(scores, best, strict=True)
    ]


def imagenet_class_names() -> list[str]:
    """Returns the 1000 names in the order of the outputs, from the file that keras.applications downloads."""
    every_class_once = np.arange(1000, 0, -1, dtype="float32")[np.newaxis]
    (decoded,) = keras.applications.imagenet_utils.decode_predictions(every_class_once, top=1000)
    return [name for _, name, _ in decoded]
