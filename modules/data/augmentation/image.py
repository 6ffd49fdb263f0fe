"""augment_image: what happens to one image in training, from the crop to the erased rectangle."""

import tensorflow as tf

from efficientmixnet.modules.data.augmentation.crop import crop_and_resize, resize
from efficientmixnet.modules.data.augmentation.erasing import erase
from efficientmixnet.modules.data.augmentation.randaugment import rand_augment


def augment_image(
    image: tf.Tensor,
    size: int,
    seed: tf.Tensor,
    *,
    crop_scale: tuple[float, float] | None = (0.08, 1.0),
    flip: bool = True,
    randaugment_layers: int = 0,
    randaugment_magnitude: float = 0.0,
    erasing_probability: float = 0.0,
) -> tf.Tensor:
    """One image at the training size, changed as the seed says: uint8 [H, W, 3] -> uint8 [size, size, 3].

    With a crop_scale the image may also come encoded, bytes [], and only its crop is decoded.

    Args:
        seed: two integers; equal seeds give equal images, on every machine and in every order.
        crop_scale: the smallest and the largest part of the image's area that a crop keeps; None crops nothing.
        flip: whether every other image is mirrored left to right.
        randaugment_layers: how many of RandAugment's operations are applied, one after the other.
        randaugment_magnitude: how strongly, from 0 (hardly) to 10.
        erasing_probability: how often a rectangle is replaced by noise.
    """
    # One seed a step, used or not: switching one step off leaves what the others draw as it is.
    seeds = tf.unstack(tf.random.experimental.stateless_split(seed, 4))
    image = crop_and_resize(image, size, crop_scale, seeds[0]) if crop_scale else resize(image, size)
    if flip:
        heads = seeds[1][0] % 2 == 0
        image = tf.raw_ops.Reverse(tensor=image, dims=tf.stack([False, heads, False]))
    if randaugment_layers:
        image = rand_augment(image, randaugment_layers, randaugment_magnitude, seeds[2])
    if erasing_probability:
        image = erase(image, erasing_probability, seeds[3])
    return tf.ensure_shape(image, (size, size, 3))
