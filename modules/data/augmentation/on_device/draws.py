"""draw_for_image, draw_for_batch: the random numbers of an augmentation that the device applies.

They are those that `augment_image` and `mix_images` draw from the same seed. So the CPU and the
device make the same images, except for the noise of random erasing. The reader draws the numbers, and the batch
contains them.
"""

import tensorflow as tf

from efficientmixnet.modules.config.training_config import AugmentationConfig
from efficientmixnet.modules.data.augmentation.erasing import draw_box
from efficientmixnet.modules.data.augmentation.image import draw_flip
from efficientmixnet.modules.data.augmentation.mixing import beta, draw_mixup, draw_rectangles
from efficientmixnet.modules.data.augmentation.randaugment import draw_operations

PIXELS = "pixels"  # the name of the images in a batch with random numbers


def draw_for_image(size: int, seed: tf.Tensor, augmentation: AugmentationConfig) -> dict[str, tf.Tensor]:
    """Draws what `augment_image` would draw after the crop.

    Args:
        size: The side of the image, in pixels.
        seed: Two integers, the seed of `augment_image`.
        augmentation: The section `training.augmentation`.

    Returns:
        Of the operations that are on: `flipped`, bool []; `chosen`, int32 [layers], and `direction`, float32 [layers],
        for RandAugment; `erased`, int32 [4], and `noise_seed`, int32 [2], for random erasing.
    """
    _, flip_seed, operation_seed, erasing_seed = tf.unstack(tf.random.experimental.stateless_split(seed, 4))
    drawn = {}
    if augmentation.flip:
        drawn["flipped"] = draw_flip(flip_seed)
    if augmentation.randaugment_layers:
        drawn["chosen"], drawn["direction"] = draw_operations(augmentation.randaugment_layers, operation_seed)
    if augmentation.erasing_probability:
        drawn["erased"] = draw_box(size, size, augmentation.erasing_probability, erasing_seed)
        drawn["noise_seed"] = tf.cast(erasing_seed, tf.int32)
    return drawn


def draw_for_batch(count: int, seed: tf.Tensor, augmentation: AugmentationConfig) -> dict[str, tf.Tensor]:
    """Draws what `mix_images` would draw.

    Args:
        count: The images of the batch, B.
        seed: Two integers, the seed of `mix_images`.
        augmentation: The section `training.augmentation`.

    Returns:
        `weight`, float32 [B], the weight λ of each image in mixup, 1 with CutMix; `cut`, float32 [B], the sides of
        CutMix's rectangles, 0 with mixup, and `middle`, float32 [B, 2], their middles, both as fractions of the
        image's sides. An empty dictionary without mixup and CutMix.
    """
    mixup_alpha, cutmix_alpha = augmentation.mixup_alpha, augmentation.cutmix_alpha
    if not mixup_alpha and not cutmix_alpha:
        return {}
    coin_seed, seed = tf.unstack(tf.random.experimental.stateless_split(seed, 2))
    is_mixup = draw_mixup(coin_seed) if mixup_alpha and cutmix_alpha else tf.constant(bool(mixup_alpha))
    cut, middle = draw_rectangles(count, cutmix_alpha or 1.0, seed)
    return {
        "weight": tf.where(is_mixup, beta(count, mixup_alpha or 1.0, seed), 1.0),
        "cut": tf.where(is_mixup, 0.0, cut),
        "middle": tf.transpose(middle),
    }
