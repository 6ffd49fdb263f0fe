"""class_weights: how much a training image of each class counts, by how many images its class has.

balanced: n / (classes * n_c), which scikit-learn calls so too: every class counts the same in all, and an image 1 in
the mean.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from efficientmixnet.modules import features

ClassWeights = Literal["none", "balanced"]


def class_weights(
    kind: ClassWeights, transform_output: tft.TFTransformOutput, labels: Sequence[str]
) -> Sequence[float] | None:
    """By class, what an image's loss is multiplied by; None for nothing."""
    return None if kind == "none" else balanced(class_counts(transform_output, labels))


def class_counts(transform_output: tft.TFTransformOutput, labels: Sequence[str]) -> np.ndarray:
    """The training split's images by class, as Transform counted them: [classes], in the labels' order."""
    with tf.io.gfile.GFile(transform_output.vocabulary_file_by_name(features.LABEL_COUNTS), "rb") as file:
        lines = (line.split(b" ", 1) for line in file.read().removesuffix(b"\n").split(b"\n"))
        counts = {label.decode(): int(count) for count, label in lines}
    return np.array([counts[label] for label in labels])


def balanced(counts: np.ndarray) -> list[float]:
    """Weights under which every class has the same share: counts [classes] -> weights [classes]."""
    return (counts.sum() / (len(counts) * counts)).tolist()
