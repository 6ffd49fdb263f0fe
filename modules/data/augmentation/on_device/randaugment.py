"""rand_augment: RandAugment of a batch on the device, as in `augmentation.randaugment`.

A device computes every color operation for all images, and then takes the one that was chosen for each image. The
geometric operations are one affine map, with another matrix for each image.
"""

from collections.abc import Callable
from typing import Any

from keras import ops

from efficientmixnet.modules.data.augmentation import randaugment
from efficientmixnet.modules.data.augmentation.on_device import colors, geometry

Operation = Callable[[Any, Any, bool], Any]  # levels, strength from -1 to 1, whether they are whole -> levels

NUMBERS = {name: number for number, name in enumerate(randaugment.OPERATIONS)}

COLORS: dict[str, Operation] = {
    "auto_contrast": lambda levels, strength, whole: colors.auto_contrast(levels, whole),
    "equalize": lambda levels, strength, whole: colors.equalize(levels),
    "posterize": lambda levels, strength, whole: colors.posterize(levels, 8 - ops.round(4 * ops.abs(strength))),
    "solarize": lambda levels, strength, whole: colors.solarize(levels, 256 * (1 - ops.abs(strength))),
    "color": lambda levels, strength, whole: colors.color(levels, 1 + 0.9 * strength, whole),
    "contrast": lambda levels, strength, whole: colors.contrast(levels, 1 + 0.9 * strength, whole),
    "brightness": lambda levels, strength, whole: colors.brightness(levels, 1 + 0.9 * strength, whole),
    "sharpness": lambda levels, strength, whole: colors.sharpness(levels, 1 + 0.9 * strength, whole),
}


def rand_augment(levels: Any, chosen: Any, direction: Any, magnitude: float, whole: bool) -> Any:
    """Applies the operations, one after the other: float32 [B, H, W, 3] -> [B, H, W, 3].

    Args:
        levels: The images, from 0 to 255.
        chosen: For each image, indices of `augmentation.randaugment.OPERATIONS`, int32 [B, layers].
        direction: -1 or 1 for each of them, float32 [B, layers].
        magnitude: The strength, from 0 to 10.
        whole: Whether the levels are whole numbers, and must stay so.
    """
    strength = magnitude / randaugment.STRONGEST * direction
    for layer in range(chosen.shape[1]):
        levels = apply_operation(levels, chosen[:, layer], strength[:, layer], whole)
    return levels


def apply_operation(levels: Any, chosen: Any, strength: Any, whole: bool) -> Any:
    """Applies one operation to each image: float32 [B, H, W, 3], indices [B], strengths [B] -> [B, H, W, 3]."""
    augmented = moved(levels, chosen, strength)
    chosen, strength = chosen[:, None, None, None], strength[:, None, None, None]
    for name, operation in COLORS.items():
        augmented = ops.where(chosen == NUMBERS[name], operation(levels, strength, whole), augmented)
    return augmented


def moved(levels: Any, chosen: Any, strength: Any) -> Any:
    """Applies the geometric operations: [B, H, W, 3], indices [B], strengths [B] -> [B, H, W, 3]."""

    def amount(name: str, most: float) -> Any:
        return ops.where(chosen == NUMBERS[name], most * strength, 0.0)

    return geometry.transform(
        levels,
        degrees=amount("rotate", 30.0),
        slopes=(amount("shear_x", 0.3), amount("shear_y", 0.3)),
        fractions=(amount("translate_x", 0.45), amount("translate_y", 0.45)),
    )
