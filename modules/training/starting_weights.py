"""StartingWeights: the weights that a training starts from: ImageNet's, a file's or an exported model's."""

import json
import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from efficientmixnet.modules import progress
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.exported_model import CHANNELS, LABELS, NETWORK, newest_version
from efficientmixnet.modules.files.stored_file import damage_named, read_json
from efficientmixnet.modules.files.untrusted_json import parse_json
from efficientmixnet.modules.files.whole_file import write_text
from efficientmixnet.modules.network.imagenet import MEAN, STD
from efficientmixnet.modules.network.weights.keras_applications import is_of_keras_applications, scales_pixels
from efficientmixnet.modules.network.weights.keras_arrays import read_arrays, read_configuration
from efficientmixnet.modules.network.weights.pretrained import load_pretrained
from efficientmixnet.modules.network.weights.start import InexactStart
from efficientmixnet.modules.network.weights.timm_config import TimmConfig

_CURE = "give other weights in network.weights"

Statistics = tuple[Sequence[float], Sequence[float]]


@dataclass(frozen=True)
class StartingWeights:
    """The source of the weights, with the labels and the pixel scaling of the network that they come from."""

    source: str  # imagenet, or a file
    labels: tuple[str, ...] | None = None  # of its classifier; None: unknown
    statistics: Statistics | None = None  # mean and deviation of each channel; None: unknown

    @classmethod
    def find(cls, weights: str) -> "StartingWeights":
        """Finds the weights that `network.weights` names.

        Args:
            weights: imagenet, or the path of a weights file, an exported model or a folder of pushed models.

        Raises:
            BadInput: The path does not exist, or has no model, or the file is damaged.
        """
        if weights == "imagenet":
            return cls(weights, statistics=(MEAN, STD))
        path = Path(weights)
        if path.is_dir():
            return cls._of_export(path)
        if not path.is_file():
            raise BadInput(f"network.weights: {weights} does not exist; give imagenet, latest, or the path of weights")
        if path.suffix == ".safetensors":
            return cls(weights, statistics=_statistics_of_timm(path))
        recorded = None if path.name.endswith(".weights.h5") else _statistics_of(path)
        return cls(weights, statistics=recorded or _statistics_of_keras_applications(path))

    def load(self, model: keras.Model, variant: str) -> None:
        """Loads the weights into a network of this variant.

        Raises:
            BadInput: The weights are another network's, or cannot be downloaded. The message names the layer.
        """
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always", InexactStart)
                load_pretrained(model, self.source, variant)
        except MemoryError:
            raise
        except Exception as error:  # Keras raises a plain Exception if a download fails
            reason = str(error).partition("\n")[0]
            raise BadInput(f"network.weights: {reason}") from None
        for warning in caught:
            if issubclass(warning.category, InexactStart):
                progress.tell(f"network.weights: {warning.message}")

    @classmethod
    def _of_export(cls, folder: Path) -> "StartingWeights":
        try:
            version = newest_version(folder)
        except BadInput:
            version = folder
        network = version / NETWORK
        if not network.is_file():
            raise BadInput(f"network.weights: {folder} has no model that this pipeline exported")
        labels = read_json(version / LABELS, _CURE)
        return cls(str(network), tuple(labels), _statistics_of(network))


def keep_for_fine_tuning(model: keras.Model, labels: Sequence[str], exported: str) -> None:
    """Saves the network and its labels in the exported model's folder, so that another training can start from it."""
    network = Path(exported, NETWORK)
    network.parent.mkdir(exist_ok=True)
    keras.Model(model.input, model.output).save(network)  # a copy, without the optimizer
    write_text(Path(exported, LABELS), json.dumps(list(labels)))
    if (channels := model.input_shape[-1]) != 3:
        write_text(Path(exported, CHANNELS), json.dumps({"channels": channels}))


def _statistics_of_timm(file: Path) -> Statistics:
    """Returns how timm scales pixels for these weights."""
    try:
        trained = TimmConfig.of(file)
    except ValueError as error:
        raise BadInput(f"network.weights: {error}") from None
    return trained.mean, trained.deviation


def _statistics_of_keras_applications(file: Path) -> Statistics | None:
    """Returns how keras.applications' networks scale pixels; None: the file holds another network."""
    try:
        arrays = read_arrays(file)
    except ValueError as error:
        raise BadInput(f"network.weights: {error}") from None
    if not is_of_keras_applications(arrays):
        return None
    mean, variance = next((values for name, values in arrays.items() if scales_pixels(name)), (MEAN, STD))[:2]
    # A network that did not start from ImageNet's weights only divides by 255.
    return ([0.0] * 3, [1.0] * 3) if not np.any(mean) and np.all(variance == 1) else (MEAN, STD)


def _statistics_of(file: Path) -> Statistics | None:
    """Reads mean and deviation from the Rescaling layer that our networks have, without building the model.

    Returns:
        None if the file does not record them, as an .h5 file of weights alone.
    """
    with damage_named(file, _CURE, ZeroDivisionError):
        configuration = read_configuration(file)
        if configuration is None:
            return None
        layers = parse_json(configuration)["config"].get("layers", [])
        scaling = next((layer["config"] for layer in layers if layer["class_name"] == "Rescaling"), None)
        if scaling is None or not isinstance(scaling["scale"], list):  # keras.applications' divides all by 255
            return None
        deviation = [1 / (255 * scale) for scale in scaling["scale"]]
        mean = [-offset * d for offset, d in zip(scaling["offset"], deviation, strict=True)]
        if not all(map(math.isfinite, [*mean, *deviation])):
            raise ValueError("its scaling of pixels is not finite")
        return mean, deviation
