"""Pixels in and out of encoded bytes: what ingest, Transform, training and serving all do to a picture, once.

Every function works on one picture, in eager code as in a graph.
"""

from collections.abc import Callable

import tensorflow as tf

JPEG_QUALITY = 90

Window = tuple[tf.Tensor, tf.Tensor]  # top, left and 0; height, width and -1 for all channels

_SEEN_ACROSS = 2  # pixels that JPEG's decoder smooths colours over, so that a window's rim needs its neighbours


def decode(encoded: tf.Tensor) -> tf.Tensor:
    """Decodes a JPEG, PNG, GIF (its first frame) or BMP file: bytes [] -> uint8 [height, width, 3]."""
    return to_rgb(tf.io.decode_image(encoded, channels=0, expand_animations=False))


def decode_window(encoded: tf.Tensor, window: Callable[[tf.Tensor], Window]) -> tf.Tensor:
    """The part that `window` says of the picture's shape; of a JPEG no more is decoded: bytes [] -> uint8 [h, w, 3]."""

    def of_jpeg() -> tf.Tensor:
        shape = tf.io.extract_jpeg_shape(encoded)
        begin, extent = window(shape)
        left = tf.maximum(begin[1] - _SEEN_ACROSS, 0)
        right = tf.minimum(begin[1] + extent[1] + _SEEN_ACROSS, shape[1])
        wider = tf.io.decode_and_crop_jpeg(encoded, [begin[0], left, extent[0], right - left], channels=3)
        return tf.slice(wider, [0, begin[1] - left, 0], extent)

    def of_other() -> tf.Tensor:
        picture = decode(encoded)
        return tf.slice(picture, *window(tf.shape(picture)))

    return tf.ensure_shape(tf.cond(tf.io.is_jpeg(encoded), of_jpeg, of_other), [None, None, 3])


def to_rgb(picture: tf.Tensor) -> tf.Tensor:
    """Grey becomes RGB and transparent becomes white: uint8 [height, width, 1 to 4] -> uint8 [height, width, 3]."""
    channels = tf.shape(picture)[-1]

    def other() -> tf.Tensor:
        rgb = tf.cond(channels < 3, lambda: tf.repeat(picture[..., :1], 3, axis=-1), lambda: picture[..., :3])

        def over_white() -> tf.Tensor:
            alpha = tf.cast(picture[..., -1:], tf.float32) / 255.0
            return tf.cast(tf.round(tf.cast(rgb, tf.float32) * alpha + 255.0 * (1.0 - alpha)), tf.uint8)

        # Two channels are grey and alpha, four RGB and alpha.
        return tf.cond(channels % 2 == 0, over_white, lambda: rgb)

    return tf.ensure_shape(tf.cond(channels == 3, lambda: picture, other), [None, None, 3])


def shrink(encoded: tf.Tensor, shorter_side: int) -> tf.Tensor:
    """Encodes the picture anew with its shorter side at most this long: bytes [] -> bytes [].

    A JPEG stays a JPEG, all else becomes a PNG; one that is small enough keeps its bytes, so that nothing is lost.
    """
    picture = decode(encoded)  # [height, width, 3]
    height, width = tf.shape(picture)[0], tf.shape(picture)[1]
    is_jpeg = tf.io.is_jpeg(encoded)

    def resized() -> tf.Tensor:
        scale = shorter_side / tf.minimum(height, width)
        size = tf.cast(tf.round(scale * tf.cast(tf.stack([height, width]), tf.float64)), tf.int32)
        small = _resize(picture, size)
        return tf.cond(
            is_jpeg,
            lambda: tf.io.encode_jpeg(small, quality=JPEG_QUALITY),
            lambda: tf.io.encode_png(small),
        )

    return tf.cond(tf.minimum(height, width) > shorter_side, resized, lambda: encoded)


def center_crop(picture: tf.Tensor, size: int, crop_fraction: float) -> tf.Tensor:
    """The central square, `crop_fraction` of the shorter side: uint8 [height, width, 3] -> uint8 [size, size, 3]."""
    height, width = tf.shape(picture)[0], tf.shape(picture)[1]
    side = tf.cast(tf.round(crop_fraction * tf.cast(tf.minimum(height, width), tf.float32)), tf.int32)
    top, left = (height - side) // 2, (width - side) // 2
    square = picture[top : top + side, left : left + side]
    return tf.ensure_shape(
        tf.cond(side == size, lambda: square, lambda: _resize(square, [size, size])), [size, size, 3]
    )


def _resize(picture: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    # Antialiasing is what Pillow and PIL-trained networks do; without it, shrinking a photograph leaves jagged edges.
    resized = tf.image.resize(picture, size, method="bilinear", antialias=True)
    return tf.cast(tf.round(tf.clip_by_value(resized, 0.0, 255.0)), tf.uint8)
