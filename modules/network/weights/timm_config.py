"""TimmConfig: how timm trained the weights in a file: how it scaled pixels, and with which padding.

timm's repositories have a config.json beside model.safetensors. Without it, the names of the file and its folders tell,
if they are timm's, such as tf_efficientnet_b0.ap_in1k.
"""

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from efficientmixnet.modules.network.imagenet import MEAN, STD

_INCEPTION = (0.5, 0.5, 0.5)
# Of the weights for our networks, timm trained these with Inception's scaling: those of AdvProp, and its own of 2024.
_AS_INCEPTION = re.compile(r"(?<![a-z0-9])(tf_efficientnet_b[0-8][._]ap(?![a-z0-9])|efficientnet_b[01][._]ra4_e3600)")
_NOT_TENSORFLOWS = re.compile(r"(?<![a-z0-9_])(efficientnet|mixnet)_[a-z0-9]+\.\w*in[0-9]+k")


@dataclass(frozen=True)
class TimmConfig:
    """How timm trained weights: mean and deviation of each channel, where white is 1, and the padding."""

    mean: tuple[float, ...] = MEAN
    deviation: tuple[float, ...] = STD
    has_tensorflows_padding: bool = True

    @classmethod
    def of(cls, weights: str | Path) -> "TimmConfig":
        """Finds out how the weights in a file were trained. What nothing tells is as in most of timm's weights.

        Args:
            weights: The path of a safetensors file, which is not read.

        Raises:
            ValueError: The config.json beside it is damaged.

        Example:
            >>> TimmConfig.of("tf_efficientnet_b0.ap_in1k/model.safetensors").mean
            (0.5, 0.5, 0.5)
        """
        file = Path(weights).with_name("config.json")
        content = _read(file) if file.is_file() else {}
        if isinstance(architecture := content.get("architecture"), str):
            given = content.get("pretrained_cfg", content)  # in older files, all keys are on one level
            if isinstance(given, dict) and "mean" in given:
                scaling = (_numbers(given, "mean", file), _numbers(given, "std", file))
                return cls(*scaling, architecture.startswith("tf_"))
        name = Path(weights).absolute().as_posix().lower()
        scaling = (_INCEPTION, _INCEPTION) if _AS_INCEPTION.search(name) else (MEAN, STD)
        return cls(*scaling, not _NOT_TENSORFLOWS.search(name))


def _read(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"{file}: is not JSON, or damaged; download it again, or remove it") from error
    return content if isinstance(content, dict) else {}


def _numbers(values: dict[str, Any], key: str, file: Path) -> tuple[float, ...]:
    numbers, least = values.get(key), 1e-6 if key == "std" else -math.inf
    if isinstance(numbers, list) and all(type(one) in (int, float) and least < one < math.inf for one in numbers):
        return tuple(map(float, numbers))
    raise ValueError(f"{file}: {key} has no number for each channel; download it again, or remove it")
