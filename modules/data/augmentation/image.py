"""augment_picture: what happens to one picture in training, from the crop to the erased rectangle."""

import tensorflow as tf

from efficientmixnet.modules.data.augmentation.crop import crop_and_resize, resize
from efficientmixnet.modules.data.augmentation.erasing import erase
from efficientmixnet.modules.data.augmentation.randaugment import rand_augment


def augment_picture(
    picture: tf.Tensor,
    size: int,
    seed: tf.Tensor,
    *,
    crop_scale: tuple[float, float] | None = (0.08, 1.0),
    flip: bool = True,
    randaugment_layers: int = 0,
    randaugment_magnitude: float = 0.0,
    erasing_probability: float = 0.0,
) -> tf.Tensor:
    """One picture at the training size, changed as the seed says: uint8 [H, W, 3] -> uint8 [size, size, 3].

    With a crop_scale the picture may also come encoded, bytes [], and only its crop is decoded.

    Args:
        seed: two integers; equal seeds give equal pictures, on every machine and in every order.
        crop_scale: the smallest and the largest part of the picture's area that a crop keeps; None crops nothing.
        flip: whether every other picture is mirrored left to right.
        randaugment_layers: how many of RandAugment's operations are applied, one after the other.
        randaugment_magnitude: how strongly, from 0 (hardly) to 10.
        erasing_probability: how often a rectangle is replaced by noise.
    """
    # One seed a step, used or not: switching one step off leaves what the others draw as it is.
    seeds = tf.unstack(tf.random.experimental.stateless_split(seed, 4))
    picture = crop_and_resize(picture, size, crop_scale, seeds[0]) if crop_scale else resize(picture, size)
    if flip:
        heads = seeds[1][0] % 2 == 0
        picture = tf.raw_ops.Reverse(tensor=picture, dims=tf.stack([False, heads, False]))
    if randaugment_layers:
        picture = rand_augment(picture, randaugment_layers, randaugment_magnitude, seeds[2])
    if erasing_probability:
        picture = erase(picture, erasing_probability, seeds[3])
    return tf.ensure_shape(picture, (size, size, 3))
