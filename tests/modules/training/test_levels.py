"""Augmentation from black to white is refused for images with other levels."""

from types import SimpleNamespace
from typing import Any

import pytest

from efficientmixnet.modules.config.training_config import TrainingConfig
from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.training.training_job import _check_levels

RANDAUGMENT = {"randaugment_layers": 2}
ERASING = {"erasing_probability": 0.25}
# White is 1.
DARK = [0.02] * 3, [0.01] * 3  # 12 bits in files of 16
KELVIN = [290.0] * 3, [5.0] * 3
USUAL = [0.45] * 3, [0.25] * 3
SCANS = [0.8] * 3, [0.4] * 3  # black on white


def _check(augmentation: dict[str, Any], statistics: Any, deep: bool = True, channels: int = 3) -> None:
    train = SimpleNamespace(deep=deep, channels=channels, channel_statistics=lambda: statistics)
    data: Any = SimpleNamespace(train=train)
    _check_levels(TrainingConfig.model_validate({"augmentation": augmentation}), data)


@pytest.mark.parametrize("augmentation", [RANDAUGMENT, ERASING])
@pytest.mark.parametrize("statistics", [DARK, KELVIN])
def test_levels_far_from_black_and_white_are_refused(augmentation: dict[str, Any], statistics: Any) -> None:
    with pytest.raises(BadInput, match=rf"levels .* of these images are around {statistics[0][0]:g}; set randaugment"):
        _check(augmentation, statistics)


def test_usual_levels_and_other_augmentation_are_taken() -> None:
    _check(RANDAUGMENT, USUAL)
    _check(RANDAUGMENT, SCANS)
    _check(ERASING, DARK, deep=False)  # dark photographs of 8 bits
    _check({"flip": True}, KELVIN)
    _check(RANDAUGMENT, KELVIN, channels=5)  # has RandAugment of its own
