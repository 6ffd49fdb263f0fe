"""Published ImageNet weights: their files, and where they lie on this machine after a download."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_KERAS = "https://storage.googleapis.com/keras-applications"
_HUB = "https://huggingface.co"

TIMM_MODELS: Mapping[str, str] = {
    "MixNetS": "tf_mixnet_s.in1k",
    "MixNetM": "tf_mixnet_m.in1k",
    "MixNetL": "tf_mixnet_l.in1k",
    "MixNetXL": "mixnet_xl.ra_in1k",
}
"""timm's models with published weights. Those that begin with tf_ give timm's outputs here."""

IMAGENET_VARIANTS = (*(f"EfficientNetB{i}" for i in range(8)), *TIMM_MODELS)
"""The variants with published weights: keras.applications' for EfficientNets, timm's for MixNets."""


@dataclass(frozen=True)
class Published:
    """A published file of weights.

    Args:
        url: Where the file can be downloaded.
        found: The file on this machine; None: it was not downloaded yet.
        package: The package that downloads it, if it is not Keras.
    """

    url: str
    found: Path | None
    package: str | None = None


def published(variant: str) -> Published:
    """Returns the file of a variant, without looking for it on the network.

    Args:
        variant: The full name of the variant.

    Raises:
        ValueError: There are no published weights.

    Example:
        >>> published("MixNetS").url
        'https://huggingface.co/timm/tf_mixnet_s.in1k/resolve/main/model.safetensors'
    """
    check_published(variant)
    if variant in TIMM_MODELS:
        return _of_timm(f"timm/{TIMM_MODELS[variant]}")
    name = f"{variant.lower()}_notop.h5"
    home = Path(os.environ.get("KERAS_HOME") or Path("~/.keras").expanduser())
    return Published(f"{_KERAS}/{name}", _if_file(home / "models" / name))


def check_published(variant: str) -> None:
    """Raises ValueError if a variant has no published weights."""
    if variant not in IMAGENET_VARIANTS:
        raise ValueError(
            f"weights='imagenet': there are none for {variant}, only for {', '.join(IMAGENET_VARIANTS)}; give a path"
        )


def has_tensorflows_padding(variant: str) -> bool:
    """Whether published weights were trained with the padding and epsilon of TensorFlow, not of PyTorch."""
    return TIMM_MODELS.get(variant, "tf_").startswith("tf_")


def _of_timm(repository: str) -> Published:
    url = f"{os.environ.get('HF_ENDPOINT') or _HUB}/{repository}/resolve/main/model.safetensors"
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError:
        return Published(url, None, "huggingface_hub")
    found = try_to_load_from_cache(repository, "model.safetensors")
    return Published(url, _if_file(Path(found)) if isinstance(found, str) else None, "huggingface_hub")


def _if_file(path: Path) -> Path | None:
    return path if path.is_file() else None
