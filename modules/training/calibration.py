"""calibrate: makes a trained network's confidence agree with its accuracy, by temperature scaling.

    probabilities = softmax(logits / temperature)

Guo et al., "On calibration of modern neural networks", arXiv 1706.04599. One temperature is fitted on images that
training did not see. It is the same for all classes, so the order of the classes stays, and with it the accuracy.
"""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import keras
import numpy as np
from scipy.optimize import minimize_scalar

from efficientmixnet.modules import progress
from efficientmixnet.modules.data.batches import evaluation_batches
from efficientmixnet.modules.data.training_data import TrainingData
from efficientmixnet.modules.exported_model import CALIBRATION
from efficientmixnet.modules.files.whole_file import write_text
from efficientmixnet.modules.network.transfer_learning import CLASSIFIER

_LEAST, _MOST = 0.05, 20.0  # of the temperature


@dataclass(frozen=True)
class Calibration:
    """The temperature of an exported model, and how many images it was fitted on."""

    temperature: float
    images: int

    def write(self, exported: str) -> None:
        """Writes the calibration to the folder of an exported model."""
        path = Path(exported, CALIBRATION)
        path.parent.mkdir(exist_ok=True)
        write_text(path, json.dumps(asdict(self)))


def calibrate(model: keras.Model, data: TrainingData) -> Calibration | None:
    """Fits the temperature, and divides the classifier's weights by it.

    Args:
        model: The trained network, on one device. It is changed.
        data: The data of the training.

    Returns:
        The calibration; None if the training held out no images.
    """
    if data.held_out is None:
        return None
    reading = replace(data.reading, batch_size=data.reading.batch_size // data.reading.workers, worker=0, workers=1)
    batches = [
        (one_hot.numpy().argmax(axis=1), model.predict_on_batch(images))
        for images, one_hot in evaluation_batches(data.held_out, replace(reading, devices=1))
    ]
    labels, probabilities = (np.concatenate(each) for each in zip(*batches, strict=True))
    calibration = Calibration(fit_temperature(labels, probabilities), len(labels))
    classifier = model.get_layer(CLASSIFIER)
    classifier.set_weights([weight / calibration.temperature for weight in classifier.get_weights()])
    progress.tell(
        f"calibrated on {calibration.images:,} held-out training images: temperature {calibration.temperature:.2f}"
    )
    return calibration


def fit_temperature(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Returns the temperature with the least cross-entropy.

    The targets are 1 - 1 / (2n + 2) for n images instead of 1, as if half an image more had another label (Jeffreys'
    prior). So a few images without a mistake do not make the model certain.

    Args:
        labels: int [images].
        probabilities: float [images, classes], with temperature 1.

    Example:
        >>> round(fit_temperature(np.array([0] * 500 + [1] * 500), np.tile([0.9, 0.1], (1000, 1))), 1)
        20.0
    """
    images, classes = probabilities.shape
    smoothing = 1 / (2 * images + 2)
    targets = np.full(probabilities.shape, smoothing / max(classes - 1, 1))
    targets[np.arange(images), labels] = 1 - smoothing
    logits = np.log(np.maximum(probabilities.astype("float64"), np.finfo("float32").tiny))

    def cross_entropy(log_temperature: float) -> float:
        scaled = logits / np.exp(log_temperature)
        scaled -= scaled.max(axis=1, keepdims=True)
        return float(np.mean(np.log(np.exp(scaled).sum(axis=1)) - (targets * scaled).sum(axis=1)))

    found = minimize_scalar(cross_entropy, bounds=(np.log(_LEAST), np.log(_MOST)), method="bounded")
    return float(np.exp(found.x))
