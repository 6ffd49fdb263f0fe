"""augment_image: augments one training image: crop, flip, RandAugment and random erasing, in this order."""

import tensorflow as tf

from efficientmixnet.modules.data.augmentation.crop import crop_and_resize, resize
from efficientmixnet.modules.data.augmentation.erasing import erase
from efficientmixnet.modules.data.augmentation.randaugment import rand_augment


def augment_image(
    image: tf.Tensor,
    size: int,
    seed: tf.Tensor,
    *,
    deep: bool = False,
    channels: int = 3,
    crop_scale: tuple[float, float] | None = (0.08, 1.0),
    flip: bool = True,
    randaugment_layers: int = 0,
    randaugment_magnitude: float = 0.0,
    erasing_probability: float = 0.0,
) -> tf.Tensor:
    """Augments an image and resizes it to the training size.

    Args:
        image: uint8 or float32 [H, W, C], from 0 to 255, or, with a crop_scale, an encoded image, bytes [], of which
            only the crop is decoded.
        size: The side of the result, in pixels.
        seed: Two integers. The same seed gives the same image, on every machine and in every order.
        deep: Whether an encoded image becomes float32, which keeps the precision of 16 bits.
        channels: The number of channels of an encoded image.
        crop_scale: The smallest and the largest area of a crop, as fractions of the image; None: no crop.
        flip: Whether to flip half of the images from left to right.
        randaugment_layers: The number of RandAugment's operations; 0: none.
        randaugment_magnitude: The strength of these operations, from 0 to 10.
        erasing_probability: The fraction of images in which noise replaces a rectangle.

    Returns:
        [size, size, C], of the same type; uint8, or float32 if deep, for an encoded image.

    Example:
        >>> augment_image(image, 224, seed=[0, 1], randaugment_layers=2, randaugment_magnitude=9).shape
        TensorShape([224, 224, 3])
    """
    # Each operation has its own seed, so that turning one off does not change the others.
    seeds = tf.unstack(tf.random.experimental.stateless_split(seed, 4))
    image = crop_and_resize(image, size, crop_scale, seeds[0], deep, channels) if crop_scale else resize(image, size)
    shape = image.shape
    if flip:
        flipped = tf.raw_ops.Reverse(tensor=image, dims=tf.stack([False, draw_flip(seeds[1]), False]))
        image = tf.ensure_shape(flipped, shape)
    if randaugment_layers:
        image = rand_augment(image, randaugment_layers, randaugment_magnitude, seeds[2])
    if erasing_probability:
        image = erase(image, erasing_probability, seeds[3])
    return tf.ensure_shape(image, shape)


def draw_flip(seed: tf.Tensor) -> tf.Tensor:
    """Draws whether to flip an image: bool []."""
    return seed[0] % 2 == 0
