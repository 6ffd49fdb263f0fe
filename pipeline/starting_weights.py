"""Checks network.weights before a run, so that weights that cannot work do not stop it in Trainer."""

import http.client
import importlib.util
import urllib.request
from pathlib import Path

from efficientmixnet.modules.config.network_config import NetworkConfig
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.exported_model import NETWORK, newest_version
from efficientmixnet.modules.network.weights.published import published

_PATIENCE = 5  # seconds for the server of the weights to answer
_HDF5, _ZIP = b"\x89HDF\r\n\x1a\n", b"PK\x03\x04"
# The first bytes of each kind of file; safetensors starts with a length.
_BEGINNINGS = {".keras": _ZIP, ".h5": _HDF5, ".safetensors": b""}


def find_weights(weights: str) -> str:
    """Returns the file or the folder that a path in network.weights names.

    Args:
        weights: The path of a file of weights, of an exported model, or of a folder of pushed models.

    Raises:
        BadInput: The path does not exist, or is something else.
    """
    path = Path(weights)
    if not path.exists():
        raise BadInput(f"network.weights: {path} does not exist; give imagenet, latest, or a path that exists")
    if path.is_dir():
        try:
            return str(path if (path / NETWORK).is_file() else newest_version(path))
        except BadInput:
            raise BadInput(
                f"network.weights: {path} has no model; give a folder that a run printed as its pushed model"
            ) from None
    beginning = _BEGINNINGS.get(path.suffix)
    if beginning is None or not path.is_file():
        raise BadInput(
            f"network.weights: {path} is not a weights file; give one that ends with .keras, .weights.h5, .h5 or "
            ".safetensors"
        )
    try:
        with path.open("rb") as file:
            starts = file.read(len(beginning))
    except OSError as error:
        raise BadInput(f"network.weights: {path} cannot be read: {error.strerror}") from None
    if starts != beginning:
        raise BadInput(f"network.weights: {path} is not a {path.suffix} file, or is damaged; give another file")
    return weights


def check_download(network: NetworkConfig) -> None:
    """Checks within seconds that ImageNet's weights are on this machine or can be downloaded.

    Args:
        network: The section network.

    Raises:
        BadInput: They cannot. The message says which file to give instead.
    """
    if network.weights != "imagenet":
        return
    variant = "EfficientNetB0" if network.variant == "auto" else network.as_variant().name
    file = published(variant)
    if file.found:
        return
    cure = f"download {file.url} elsewhere, and give its path in network.weights"
    if file.package and not all(map(importlib.util.find_spec, (file.package, "safetensors"))):
        raise BadInput(
            f"network.weights: imagenet for {variant} needs {file.package} and safetensors; run pip install "
            f"'efficientmixnet[timm]', or {cure}"
        )
    try:
        with urllib.request.urlopen(file.url, timeout=_PATIENCE):  # noqa: S310  The URL is ours.
            return
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise BadInput(f"network.weights: imagenet cannot be downloaded ({reason}); {cure}") from None


def check_weights(network: NetworkConfig, channels: int = 3) -> None:
    """Loads the weights into the network, as Trainer will.

    Args:
        network: The complete section network.
        channels: The number of channels of the images.

    Raises:
        BadInput: The weights are damaged, or are another network's. The message names the layer.
    """
    if network.weights in (None, "latest") or network.variant == "auto":
        return
    from efficientmixnet.modules.keras_settings import use_default_formats
    from efficientmixnet.modules.training.build_model import build_model
    from efficientmixnet.modules.training.starting_weights import StartingWeights

    use_default_formats()
    start = StartingWeights.find(str(network.weights))
    size = network.image_size or network.default_image_size
    statistics = [0.5] * channels
    build_model(network, size, 2, steps_per_epoch=1, mean=statistics, deviation=statistics, start=start)
