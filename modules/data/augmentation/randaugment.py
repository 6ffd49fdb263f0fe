"""rand_augment: RandAugment, which applies random operations of 14, all with the same magnitude.

The operations are Pillow's (ImageOps, ImageEnhance), with the ranges of AutoAugment: magnitude 10 is its strongest.
If an operation has two directions, one is chosen at random.
Cubuk et al., RandAugment, NeurIPS 2020, https://arxiv.org/abs/1909.13719
"""

from collections.abc import Callable

import tensorflow as tf

from efficientmixnet.modules.data.augmentation import colors, geometry

STRONGEST = 10.0

Operation = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]  # image, strength from -1 to 1 -> image

COLOR_OPERATIONS: dict[str, Operation] = {
    "auto_contrast": lambda image, strength: colors.auto_contrast(image),
    "equalize": lambda image, strength: colors.equalize(image),
    "posterize": lambda image, strength: colors.posterize(image, 8 - tf.round(4 * tf.abs(strength))),
    "solarize": lambda image, strength: colors.solarize(image, 256 * (1 - tf.abs(strength))),
    "color": lambda image, strength: colors.color(image, 1 + 0.9 * strength),
    "contrast": lambda image, strength: colors.contrast(image, 1 + 0.9 * strength),
    "brightness": lambda image, strength: colors.brightness(image, 1 + 0.9 * strength),
    "sharpness": lambda image, strength: colors.sharpness(image, 1 + 0.9 * strength),
}
"""The operations for RGB images from 0 to 255. Images with another number of channels do not get them."""

OPERATIONS: dict[str, Operation] = {
    "identity": lambda image, strength: image,
    **COLOR_OPERATIONS,
    "rotate": lambda image, strength: geometry.rotate(image, 30 * strength),
    "shear_x": lambda image, strength: geometry.shear_x(image, 0.3 * strength),
    "shear_y": lambda image, strength: geometry.shear_y(image, 0.3 * strength),
    "translate_x": lambda image, strength: geometry.translate_x(image, 0.45 * strength),
    "translate_y": lambda image, strength: geometry.translate_y(image, 0.45 * strength),
}


def rand_augment(image: tf.Tensor, layers: int, magnitude: float, seed: tf.Tensor) -> tf.Tensor:
    """Applies `layers` random operations, one after the other: uint8 or float32 [H, W, C] -> [H, W, C]."""
    chosen, direction = draw_operations(layers, seed, len(_operations(image)))
    for layer in range(layers):
        image = apply_operation(image, chosen[layer], magnitude / STRONGEST * direction[layer])
    return image


def draw_operations(layers: int, seed: tf.Tensor, count: int = len(OPERATIONS)) -> tuple[tf.Tensor, tf.Tensor]:
    """Draws indices of `count` operations, int32 [layers], and their directions, -1 or 1, float32 [layers]."""
    draws = tf.random.stateless_uniform([layers, 2], seed)
    return tf.cast(draws[:, 0] * count, tf.int32), tf.where(draws[:, 1] < 0.5, -1.0, 1.0)


def apply_operation(image: tf.Tensor, chosen: tf.Tensor, strength: tf.Tensor) -> tf.Tensor:
    """Applies the operation at the index `chosen`, of those for this image: uint8 or float32 [H, W, C] -> [H, W, C]."""

    def branch(operation: Operation) -> Callable[[], tf.Tensor]:
        return lambda: operation(image, strength)

    shape = image.shape
    image_out = tf.switch_case(chosen, [branch(operation) for operation in _operations(image)])
    return tf.ensure_shape(image_out, shape)


def _operations(image: tf.Tensor) -> list[Operation]:
    is_rgb = image.shape[-1] == 3
    return [operation for name, operation in OPERATIONS.items() if is_rgb or name not in COLOR_OPERATIONS]
