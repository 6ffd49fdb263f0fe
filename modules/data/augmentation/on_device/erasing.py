"""erase: random erasing of a batch on the device, as in `augmentation.erasing`."""

from typing import Any

import keras
from keras import ops


def erase(levels: Any, boxes: Any, seeds: Any) -> Any:
    """Fills a rectangle of each image with noise: float32 [B, H, W, 3] -> [B, H, W, 3].

    Args:
        levels: The images.
        boxes: The top, bottom, left and right of each rectangle, int32 [B, 4].
        seeds: int32 [B, 2]. The first one is the seed of the noise. It is another one in every batch and on every
            device.
    """
    top, bottom, left, right = (ops.cast(boxes[:, side, None], "float32") for side in range(4))  # [B, 1]
    rows, columns = (ops.arange(levels.shape[axis], dtype="float32")[None, :] for axis in (1, 2))
    in_rows = ops.logical_and(rows >= top, rows < bottom)  # [B, H]
    in_columns = ops.logical_and(columns >= left, columns < right)  # [B, W]
    inside = ops.logical_and(in_rows[:, :, None], in_columns[:, None, :])  # [B, H, W]
    return ops.where(inside[..., None], noise(ops.shape(levels), seeds[0]), levels)


def noise(shape: tuple[Any, ...], seed: Any) -> Any:
    """Draws whole numbers from 0 to 255, float32 of this shape. Keras's functions do not take a tensor as the seed."""
    if keras.backend.backend() == "jax":
        import jax

        key = jax.random.wrap_key_data(seed.astype("uint32"), impl="threefry2x32")
        return ops.floor(jax.random.uniform(key, shape, maxval=256.0))
    import tensorflow as tf

    return ops.floor(tf.random.stateless_uniform(shape, seed, 0.0, 256.0))
