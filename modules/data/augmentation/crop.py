"""crop_and_resize: a random crop with a random area and aspect ratio, resized to the training size.

Szegedy et al., Going Deeper with Convolutions, CVPR 2015, https://arxiv.org/abs/1409.4842, with the limits and the
fallback of EfficientNet's training code.
"""

import tensorflow as tf

from efficientmixnet.modules.data import images
from efficientmixnet.modules.data.resize import resize as smoothed

ASPECT_RATIOS = (3 / 4, 4 / 3)
_SMOOTHED_FROM = 1.5  # times the size; below that, plain bilinear resizing skips no pixel and is twice as fast


def crop_and_resize(
    image: tf.Tensor,
    size: int,
    scale: tuple[float, float],
    seed: tf.Tensor,
    deep: bool = False,
    channels: int = 3,
) -> tf.Tensor:
    """Returns a random crop: uint8 or float32 [H, W, C] or an encoded image, bytes [] -> [size, size, C].

    Args:
        image: Of an encoded image, only the crop is decoded.
        size: The side of the result, in pixels.
        scale: The smallest and the largest area of the crop, as fractions of the image.
        seed: Two integers.
        deep: Whether an encoded image becomes float32 instead of uint8.
        channels: The number of channels of an encoded image.
    """

    def window(shape: tf.Tensor) -> images.Window:
        begin, extent, _ = tf.image.stateless_sample_distorted_bounding_box(
            shape,
            bounding_boxes=tf.zeros([1, 0, 4]),
            seed=seed,
            min_object_covered=0.0,
            aspect_ratio_range=ASPECT_RATIOS,
            area_range=tuple(scale),
            max_attempts=10,
            use_image_if_no_bounding_boxes=True,
        )
        return begin, extent

    if image.dtype == tf.string:
        return resize(images.decode_window(image, window, deep, channels), size)
    part = tf.slice(image, *window(tf.shape(image)))
    return resize(tf.ensure_shape(part, [None, None, image.shape[-1]]), size)


def resize(image: tf.Tensor, size: int) -> tf.Tensor:
    """Resizes the whole image to a square: uint8 or float32 [H, W, C] -> [size, size, C] of the same type."""
    longest = tf.reduce_max(tf.shape(image)[:2])
    return tf.cond(
        tf.cast(longest, tf.float32) > _SMOOTHED_FROM * size,
        lambda: tf.ensure_shape(smoothed(image, (size, size)), [size, size, image.shape[-1]]),
        lambda: _of_type(tf.image.resize(image, (size, size)), image.dtype),
    )


def _of_type(resized: tf.Tensor, kind: tf.DType) -> tf.Tensor:
    # Integers are rounded to the nearest. A mean of bytes is always within 0 and 255.
    return tf.cast(resized + 0.5, kind) if kind.is_integer else resized
