"""augments_on_device: decides whether the CPU or the device of the training augments its images."""

from typing import Literal

from efficientmixnet.modules import progress
from efficientmixnet.modules.config.training_config import AugmentationConfig

Place = Literal["auto", "cpu", "device"]


def augments_on_device(place: Place, augmentation: AugmentationConfig, has_accelerator: bool) -> bool:
    """Whether the training step augments the images, after the reader has decoded and cropped them. Prints which one.

    Args:
        place: The value of `training.augment_on`. With auto, an accelerator augments, and a CPU does not: it would
            compute operations that were not chosen.
        augmentation: The section `training.augmentation`.
        has_accelerator: Whether the training runs on an accelerator.
    """
    if not has_more_than_crops(augmentation):
        return False
    on_device = has_accelerator if place == "auto" else place == "device"
    progress.tell("augments images in the training step" if on_device else "augments images while they are read")
    return on_device


def has_more_than_crops(augmentation: AugmentationConfig) -> bool:
    """Whether there is anything to do after the crop."""
    return bool(
        augmentation.flip
        or augmentation.randaugment_layers
        or augmentation.erasing_probability
        or augmentation.mixup_alpha
        or augmentation.cutmix_alpha
    )
