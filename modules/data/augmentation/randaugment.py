"""RandAugment: some of 14 operations, drawn at random, all with one magnitude.

The operations are Pillow's (ImageOps, ImageEnhance), as AutoAugment took them; magnitude 10 is AutoAugment's strongest.
Operations that have two directions draw one.
Cubuk et al., RandAugment, NeurIPS 2020, https://arxiv.org/abs/1909.13719
"""

from collections.abc import Callable

import tensorflow as tf

from efficientmixnet.modules.data.augmentation import colors as colours
from efficientmixnet.modules.data.augmentation import geometry

STRONGEST = 10.0

Operation = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]  # picture, strength from -1 to 1 -> picture

OPERATIONS: dict[str, Operation] = {
    "identity": lambda picture, strength: picture,
    "auto_contrast": lambda picture, strength: colours.auto_contrast(picture),
    "equalize": lambda picture, strength: colours.equalize(picture),
    "posterize": lambda picture, strength: colours.posterize(picture, 8 - tf.round(4 * tf.abs(strength))),
    "solarize": lambda picture, strength: colours.solarize(picture, 256 * (1 - tf.abs(strength))),
    "colour": lambda picture, strength: colours.colour(picture, 1 + 0.9 * strength),
    "contrast": lambda picture, strength: colours.contrast(picture, 1 + 0.9 * strength),
    "brightness": lambda picture, strength: colours.brightness(picture, 1 + 0.9 * strength),
    "sharpness": lambda picture, strength: colours.sharpness(picture, 1 + 0.9 * strength),
    "rotate": lambda picture, strength: geometry.rotate(picture, 30 * strength),
    "shear_x": lambda picture, strength: geometry.shear_x(picture, 0.3 * strength),
    "shear_y": lambda picture, strength: geometry.shear_y(picture, 0.3 * strength),
    "translate_x": lambda picture, strength: geometry.translate_x(picture, 0.45 * strength),
    "translate_y": lambda picture, strength: geometry.translate_y(picture, 0.45 * strength),
}


def rand_augment(picture: tf.Tensor, layers: int, magnitude: float, seed: tf.Tensor) -> tf.Tensor:
    """`layers` operations, one after the other: uint8 [H, W, 3] -> uint8 [H, W, 3]."""
    draws = tf.random.stateless_uniform([layers, 2], seed)
    for layer in range(layers):
        chosen = tf.cast(draws[layer, 0] * len(OPERATIONS), tf.int32)
        direction = tf.where(draws[layer, 1] < 0.5, -1.0, 1.0)
        picture = apply_operation(picture, chosen, magnitude / STRONGEST * direction)
    return picture


def apply_operation(picture: tf.Tensor, chosen: tf.Tensor, strength: tf.Tensor) -> tf.Tensor:
    """The operation with the number `chosen` in the table: uint8 [H, W, 3] -> uint8 [H, W, 3]."""

    def branch(operation: Operation) -> Callable[[], tf.Tensor]:
        return lambda: operation(picture, strength)

    shape = picture.shape
    picture_out = tf.switch_case(chosen, [branch(operation) for operation in OPERATIONS.values()])
    return tf.ensure_shape(picture_out, shape)
