"""transform: RandAugment's geometric operations for a batch on the device, as in `augmentation.geometry`.

Keras's own `affine_transform` uses an operation of TensorFlow that XLA cannot compile.
"""

import math
from typing import Any

from keras import ops

from efficientmixnet.modules.data.augmentation.geometry import FILL


def transform(levels: Any, degrees: Any, slopes: tuple[Any, Any], fractions: tuple[Any, Any]) -> Any:
    """Rotates, shears or moves each image, and takes the nearest pixel: float32 [B, H, W, 3] -> [B, H, W, 3].

    The pixel at p = (x, y), relative to the center, becomes the one at matrix · p + shift. For each image, only one of
    the numbers is not 0.

    Args:
        levels: The images.
        degrees: Of the rotation, [B].
        slopes: Of the shear of rows and of columns, each [B].
        fractions: Of the width and of the height, by which to move the image, each [B].
    """
    height, width = levels.shape[1:3]
    cos, sin = ops.cos(degrees * (math.pi / 180)), ops.sin(degrees * (math.pi / 180))  # [B]
    x, y = ops.arange(width, dtype="float32")[None, None, :], ops.arange(height, dtype="float32")[None, :, None]
    matrix = (cos, slopes[0] - sin), (slopes[1] + sin, cos)
    shift = fractions[0] * width, fractions[1] * height
    middle = (width - 1) / 2, (height - 1) / 2

    def source(axis: int) -> Any:
        a, b = matrix[axis]
        offset = middle[axis] - a * middle[0] - b * middle[1] + shift[axis]
        a, b, offset = (one[:, None, None] for one in (a, b, offset))  # [B, 1, 1]
        return a * x + b * y + offset  # [B, H, W]

    return _pixels_at(levels, source(0), source(1))


def _pixels_at(levels: Any, x: Any, y: Any) -> Any:
    """Returns the pixels nearest to these places, and gray outside the image."""
    height, width, channels = levels.shape[1:]
    inside = ops.logical_and(
        ops.logical_and(x > -0.5, x < width - 0.5), ops.logical_and(y > -0.5, y < height - 0.5)
    )  # [B, H, W]
    column, row = ops.floor(ops.clip(x, 0, width - 1) + 0.5), ops.floor(ops.clip(y, 0, height - 1) + 0.5)
    place = ops.cast(ops.reshape(row * width + column, (-1, height * width)), "int32")
    flat = ops.reshape(levels, (-1, height * width, channels))
    found = ops.vectorized_map(lambda one: ops.take(one[0], one[1], axis=0), (flat, place))
    return ops.where(inside[..., None], ops.reshape(found, (-1, height, width, channels)), FILL)
