"""class_weights: the weight of each class in the training loss.

balanced: images / (classes * images of the class), as in scikit-learn. Every class has the same total weight, and the
mean weight of an image is 1.
"""

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from efficientmixnet.modules import features

ClassWeights = Literal["none", "balanced"]


def class_weights(
    kind: ClassWeights, transform_output: tft.TFTransformOutput, labels: Sequence[str]
) -> Sequence[float] | None:
    """Returns what to multiply an image's loss by for each class, in the order of the labels; None: nothing."""
    weigh = _KINDS[kind]
    return weigh and weigh(class_counts(transform_output, labels))


def class_counts(transform_output: tft.TFTransformOutput, labels: Sequence[str]) -> np.ndarray:
    """Returns how many images of each class the training split has: [classes], in the order of the labels."""
    with tf.io.gfile.GFile(transform_output.vocabulary_file_by_name(features.LABEL_COUNTS), "rb") as file:
        lines = (line.split(b" ", 1) for line in file.read().removesuffix(b"\n").split(b"\n"))
        counts = {label.decode(): int(count) for count, label in lines}
    return np.array([counts[label] for label in labels])


def balanced(counts: np.ndarray) -> list[float]:
    """Returns weights that give every class the same total: counts [classes] -> weights [classes]."""
    return (counts.sum() / (len(counts) * counts)).tolist()


_KINDS: dict[ClassWeights, Callable[[np.ndarray], list[float]] | None] = {"none": None, "balanced": balanced}
