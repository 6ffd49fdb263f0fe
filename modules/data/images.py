"""Decodes, crops, shrinks and encodes images, the same way in ingest, Transform, training and serving.

Every function takes one image, and works both eagerly and in a graph.
"""

from collections.abc import Callable

import tensorflow as tf

from efficientmixnet.modules.data.resize import resize

JPEG_QUALITY = 90

Window = tuple[tf.Tensor, tf.Tensor]  # top, left and 0; height, width and -1 for all channels

_REDUCTIONS = (1, 2, 4, 8)  # the factors by which the JPEG decoder can reduce an image
_ENOUGH = 2  # a JPEG is decoded to at least this many times the final size, so that the result looks the same
_MARGIN = 2  # pixels around a window; the JPEG decoder smooths colors across them


def decode(encoded: tf.Tensor) -> tf.Tensor:
    """Decodes a JPEG, PNG, GIF (its first frame) or BMP file: bytes [] -> uint8 [height, width, 3]."""
    return to_rgb(tf.io.decode_image(encoded, channels=0, expand_animations=False))


def decode_window(encoded: tf.Tensor, window: Callable[[tf.Tensor], Window]) -> tf.Tensor:
    """Decodes a part of an image: bytes [] -> uint8 [height, width, 3]. Of a JPEG, only this part is decoded.

    Args:
        encoded: A file that `decode` can read.
        window: Returns the part to decode for an image of a given shape.
    """

    def of_jpeg() -> tf.Tensor:
        shape = tf.io.extract_jpeg_shape(encoded)
        begin, extent = window(shape)
        left = tf.maximum(begin[1] - _MARGIN, 0)
        right = tf.minimum(begin[1] + extent[1] + _MARGIN, shape[1])
        wider = tf.io.decode_and_crop_jpeg(encoded, [begin[0], left, extent[0], right - left], channels=3)
        return tf.slice(wider, [0, begin[1] - left, 0], extent)

    def of_other() -> tf.Tensor:
        image = decode(encoded)
        return tf.slice(image, *window(tf.shape(image)))

    return tf.ensure_shape(tf.cond(tf.io.is_jpeg(encoded), of_jpeg, of_other), [None, None, 3])


def to_rgb(image: tf.Tensor) -> tf.Tensor:
    """Converts gray to RGB and puts transparent pixels on white: uint8 [height, width, 1 to 4] -> uint8 [..., 3]."""
    channels = tf.shape(image)[-1]

    def other() -> tf.Tensor:
        rgb = tf.cond(channels < 3, lambda: tf.repeat(image[..., :1], 3, axis=-1), lambda: image[..., :3])

        def over_white() -> tf.Tensor:
            alpha = tf.cast(image[..., -1:], tf.float32) / 255.0
            return tf.cast(tf.round(tf.cast(rgb, tf.float32) * alpha + 255.0 * (1.0 - alpha)), tf.uint8)

        # Two channels are gray and alpha, four are RGB and alpha.
        return tf.cond(channels % 2 == 0, over_white, lambda: rgb)

    return tf.ensure_shape(tf.cond(channels == 3, lambda: image, other), [None, None, 3])


def shrink(encoded: tf.Tensor, shorter_side: int) -> tf.Tensor:
    """Shrinks an encoded image until its shorter side has at most this many pixels: bytes [] -> bytes [].

    A JPEG stays a JPEG, and other formats become PNG. An image that is small enough keeps its bytes.
    """
    return tf.cond(
        tf.io.is_jpeg(encoded),
        lambda: _shrink_jpeg(encoded, shorter_side),
        lambda: _shrink_other(encoded, shorter_side),
    )


def _shrink_jpeg(encoded: tf.Tensor, shorter_side: int) -> tf.Tensor:
    size = tf.io.extract_jpeg_shape(encoded)[:2]

    def smaller() -> tf.Tensor:
        # A large image is decoded at a half, a quarter or an eighth of its size, which takes less time and memory.
        enough = tf.reduce_min(size) >= _ENOUGH * shorter_side * tf.constant(_REDUCTIONS[1:])
        step = tf.reduce_sum(tf.cast(enough, tf.int32))
        reduced = tf.switch_case(step, [lambda by=by: tf.io.decode_jpeg(encoded, ratio=by) for by in _REDUCTIONS])
        extent = size / tf.gather(_REDUCTIONS, step)  # in reduced pixels; the last pixel may count only in part
        small = resize(to_rgb(reduced), _scaled(size, shorter_side), extent)
        return tf.io.encode_jpeg(small, quality=JPEG_QUALITY)

    return tf.cond(tf.reduce_min(size) > shorter_side, smaller, lambda: encoded)


def _shrink_other(encoded: tf.Tensor, shorter_side: int) -> tf.Tensor:
    image = decode(encoded)
    size = tf.shape(image)[:2]
    return tf.cond(
        tf.reduce_min(size) > shorter_side,
        lambda: tf.io.encode_png(resize(image, _scaled(size, shorter_side))),
        lambda: encoded,
    )


def _scaled(size: tf.Tensor, shorter_side: int) -> tf.Tensor:
    """Returns height and width, int32 [2], with the same aspect ratio."""
    return tf.cast(tf.round(shorter_side / tf.reduce_min(size) * tf.cast(size, tf.float64)), tf.int32)


def center_crop(image: tf.Tensor, size: int, crop_fraction: float) -> tf.Tensor:
    """Crops the central square, this fraction of the shorter side, and resizes it: -> uint8 [size, size, 3]."""
    height, width = tf.shape(image)[0], tf.shape(image)[1]
    side = tf.cast(tf.round(crop_fraction * tf.cast(tf.minimum(height, width), tf.float32)), tf.int32)
    top, left = (height - side) // 2, (width - side) // 2
    square = image[top : top + side, left : left + side]
    return tf.ensure_shape(tf.cond(side == size, lambda: square, lambda: resize(square, [size, size])), [size, size, 3])
