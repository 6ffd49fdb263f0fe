"""Starting weights: what a network knows before it is trained here: ImageNet, a file, or a model exported before."""

import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras

from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.network.imagenet import MEAN, STD
from efficientmixnet.modules.network.weights.pretrained import load_pretrained

_EXPORTED = "assets.extra"  # a SavedModel's own place for what is not TensorFlow's
_NETWORK, _LABELS = "network.keras", "labels.json"

Statistics = tuple[Sequence[float], Sequence[float]]


@dataclass(frozen=True)
class StartingWeights:
    """Where weights come from, and what else is known of the network that learned them."""

    source: str  # imagenet, or a file
    labels: tuple[str, ...] | None = None  # of its classifier, if they are known
    statistics: Statistics | None = None  # mean and deviation of R, G and B in [0, 1] that its pixels were scaled by

    @classmethod
    def find(cls, weights: str) -> "StartingWeights":
        """By network.weights: imagenet, a weights file, an exported model, or a folder of pushed ones (the newest).

        Raises:
            BadInput: there is nothing of the kind.
        """
        if weights == "imagenet":
            return cls(weights, statistics=(MEAN, STD))
        path = Path(weights)
        if path.is_dir():
            return cls._of_export(path)
        if not path.is_file():
            raise BadInput(f"network.weights: {weights} does not exist; give imagenet, latest, or the path of weights")
        if path.suffix == ".keras":
            return cls(weights, statistics=_statistics_of(path))
        ours = path.name.endswith(".weights.h5")  # which says nothing of the pixels
        return cls(weights, statistics=None if ours else (MEAN, STD))

    def load(self, model: keras.Model, variant: str) -> None:
        """Into a network of this variant, built here.

        Raises:
            BadInput: they are of another network, or cannot be had; the layer is named.
        """
        try:
            load_pretrained(model, self.source, variant)
        except Exception as error:  # Keras raises a plain one where a download fails
            raise BadInput(f"network.weights: {error}") from None

    @classmethod
    def _of_export(cls, folder: Path) -> "StartingWeights":
        versions = sorted((one for one in folder.iterdir() if one.name.isdecimal()), key=lambda one: int(one.name))
        places = [one / _EXPORTED for one in (*versions[-1:], folder)]
        extra = next((place for place in places if (place / _NETWORK).is_file()), None)
        if extra is None:
            raise BadInput(f"network.weights: {folder} holds no model that this pipeline exported")
        labels = json.loads((extra / _LABELS).read_text(encoding="utf-8"))
        return cls(str(extra / _NETWORK), tuple(labels), _statistics_of(extra / _NETWORK))


def keep_for_fine_tuning(model: keras.Model, labels: Sequence[str], exported: str) -> None:
    """Lays the network and its labels beside an exported model, for a later training to start from."""
    extra = Path(exported, _EXPORTED)
    extra.mkdir(exist_ok=True)
    keras.Model(model.input, model.output).save(extra / _NETWORK)  # a copy, which brings no optimizer along
    (extra / _LABELS).write_text(json.dumps(list(labels)), encoding="utf-8")


def _statistics_of(file: Path) -> Statistics | None:
    """Mean and deviation from the Rescaling layer of a .keras file, of which nothing is built or run."""
    with zipfile.ZipFile(file) as archive:
        layers = json.loads(archive.read("config.json"))["config"].get("layers", [])
    scaling = next((layer["config"] for layer in layers if layer["class_name"] == "Rescaling"), None)
    if scaling is None:
        return None
    deviation = [1 / (255 * scale) for scale in scaling["scale"]]
    return [-offset * d for offset, d in zip(scaling["offset"], deviation, strict=True)], deviation
