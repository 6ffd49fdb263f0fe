"""Where images are augmented, and what the console says about it."""

import pytest

from efficientmixnet.modules import progress
from efficientmixnet.modules.config.training_config import AugmentationConfig
from efficientmixnet.modules.data.augmentation_place import augments_on_device


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    lines: list[str] = []
    monkeypatch.setattr(progress, "tell", lines.append)
    return lines


@pytest.mark.parametrize(
    ("place", "has_accelerator", "expected"),
    [
        ("auto", True, True),
        ("auto", False, False),
        ("cpu", True, False),
        ("device", False, True),
    ],
)
def test_auto_augments_on_an_accelerator_only(
    told: list[str], place: str, has_accelerator: bool, expected: bool
) -> None:
    assert augments_on_device(place, AugmentationConfig(), has_accelerator) is expected
    assert told == ["augments images in the training step" if expected else "augments images while they are read"]


def test_nothing_is_said_about_a_training_that_only_crops(told: list[str]) -> None:
    assert not augments_on_device("device", AugmentationConfig(flip=False), True)
    assert told == []
