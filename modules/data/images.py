"""Decodes, crops, shrinks and encodes images, the same way in ingest, Transform, training and serving.

Every function takes one image, and works both eagerly and in a graph. Transform makes every image upright, and later
steps do not look at EXIF. Pixels are uint8, or, in data with images of 16 bits, float32 from 0 to 255 with fractions.
Gray images become RGB if `channels` is 3, and colors are refused if it is 1. Other numbers need arrays (arrays.py).
"""

from collections.abc import Callable

import tensorflow as tf

from efficientmixnet.modules.data.arrays import as_pixels, encode_array, is_array, with_values
from efficientmixnet.modules.data.rare import rare
from efficientmixnet.modules.data.resize import resize, resize_rarely
from efficientmixnet.modules.data.upright import is_png, orientation, orientation_of_jpeg, orientation_of_png, upright

JPEG_QUALITY = 90

Window = tuple[tf.Tensor, tf.Tensor]  # top, left and 0; height, width and -1 for all channels

_REDUCTIONS = (1, 2, 4, 8)  # the factors by which the JPEG decoder can reduce an image
_ENOUGH = 2  # a JPEG is decoded to at least this many times the final size, so that the result looks the same
# The header of a BMP file of 24 bits without compression. TensorFlow and Pillow read other BMP files in different ways.
_PLAIN_BMP = r"(?s)BM\C{12}[\x28-\x7c]\x00\x00\x00\C{10}\x18\x00\x00\x00\x00\x00"
_SIXTEEN_BITS = r"(?s)\C{24}\x10"  # in the header of a PNG file
# The beginning of a gray or RGB PNG file with one transparent color.
_TRANSPARENT_COLOR = r"(?s)\CPNG\r\n\x1a\n\C{17}[\x00\x02]\C*tRNS\C*"
_IS_GRAY = r"(?s)\C{25}\x00"
OF_FILES = (1, 3)
"""The numbers of channels of JPEG, PNG and BMP files, besides alpha. Other images are arrays."""
_MARGIN = 2  # pixels around a window; the JPEG decoder smooths colors across them


def decode(encoded: tf.Tensor) -> tf.Tensor:
    """Decodes a file that the exported model takes, and turns it upright: bytes [] -> uint8 [height, width, 3]."""
    with tf.control_dependencies([_refuse_other_formats(encoded)]):
        return upright(to_rgb(decode_file(encoded)), orientation(encoded))


def decode_file(
    encoded: tf.Tensor, kind: tf.DType = tf.uint8, has_transparent_color: tf.Tensor | None = None
) -> tf.Tensor:
    """Decodes a JPEG, PNG or BMP file: bytes [] -> [height, width, 1 to 4].

    The one color that a gray or RGB PNG file can make transparent is white, as in Pillow and browsers. TensorFlow would
    show it, since it drops alpha that it was not asked for.

    Args:
        encoded: The file, as it was before Transform. EXIF is ignored.
        kind: tf.uint8, or tf.uint16 for a PNG file of 16 bits.
        has_transparent_color: Whether the file has such a color, if that is known.
    """
    if has_transparent_color is None:
        has_transparent_color = _has_transparent_color(encoded)

    return tf.cond(
        has_transparent_color,
        lambda: _on_white(encoded, kind),
        lambda: tf.io.decode_image(encoded, 0, kind, expand_animations=False),
    )


@rare
def _on_white(encoded: tf.Tensor, kind: tf.DType) -> tf.Tensor:
    with_alpha = tf.io.decode_png(encoded, 4, kind)
    is_opaque = tf.cast(with_alpha[..., 3:], tf.bool)  # It is 1 in a file of 1 bit whose tRNS is damaged.
    is_gray = tf.strings.regex_full_match(tf.strings.substr(encoded, 0, 26), _IS_GRAY)
    return tf.where(is_opaque, with_alpha[..., : tf.where(is_gray, 1, 3)], kind.max)


def _has_transparent_color(encoded: tf.Tensor) -> tf.Tensor:
    before_pixels = tf.raw_ops.StringSplitV2(input=[encoded], sep="IDAT", maxsplit=1).values[0]
    return tf.strings.regex_full_match(before_pixels, _TRANSPARENT_COLOR)


def decode_stored(encoded: tf.Tensor, deep: bool = False, channels: int = 3) -> tf.Tensor:
    """Decodes an image that Transform has written: bytes [] -> uint8 [height, width, channels].

    Args:
        encoded: A JPEG or PNG file, or an array as an .npy file. EXIF is ignored.
        deep: Whether to return float32 from 0 to 255, which keeps the precision of a PNG file of 16 bits.
        channels: The number of channels.
    """

    def of_array() -> tf.Tensor:
        return with_values(encoded, channels, lambda values: as_pixels(values, deep))

    def of_file() -> tf.Tensor:
        if not deep:
            return _to_channels(tf.io.decode_image(encoded, channels=0, expand_animations=False), channels)
        return tf.cond(
            tf.io.is_jpeg(encoded),
            lambda: tf.cast(_to_channels(tf.io.decode_jpeg(encoded), channels), tf.float32),
            lambda: tf.cast(_to_channels(tf.io.decode_png(encoded, dtype=tf.uint16), channels), tf.float32) / 257.0,
        )

    return tf.cond(is_array(encoded), of_array, of_file) if channels in OF_FILES else of_array()


def decode_window(
    encoded: tf.Tensor, window: Callable[[tf.Tensor], Window], deep: bool = False, channels: int = 3
) -> tf.Tensor:
    """Decodes a part of an image: bytes [] -> uint8 [height, width, channels]. Of a JPEG, only this part is decoded.

    Args:
        encoded: An image that Transform has written.
        window: Returns the part to decode for an image of a given shape.
        deep: As for `decode_stored`.
        channels: The number of channels.
    """

    def of_jpeg() -> tf.Tensor:
        shape = tf.io.extract_jpeg_shape(encoded)
        begin, extent = window(shape)
        left = tf.maximum(begin[1] - _MARGIN, 0)
        right = tf.minimum(begin[1] + extent[1] + _MARGIN, shape[1])
        wider = tf.io.decode_and_crop_jpeg(encoded, [begin[0], left, extent[0], right - left], channels=channels)
        part = tf.slice(wider, [0, begin[1] - left, 0], extent)
        return tf.cast(part, tf.float32) if deep else part

    def of_other() -> tf.Tensor:
        image = decode_stored(encoded, deep, channels)
        return tf.slice(image, *window(tf.shape(image)))

    part = tf.cond(tf.io.is_jpeg(encoded), of_jpeg, of_other) if channels in OF_FILES else of_other()
    return tf.ensure_shape(part, [None, None, channels])


def _decode_jpeg(encoded: tf.Tensor, channels: int, ratio: int = 1) -> tf.Tensor:
    # The decoder converts gray to RGB, but would also convert colors to gray instead of refusing them.
    if channels == 3:
        return tf.io.decode_jpeg(encoded, channels=3, ratio=ratio)
    return _to_channels(tf.io.decode_jpeg(encoded, ratio=ratio), channels)


def _to_channels(image: tf.Tensor, channels: int) -> tf.Tensor:
    return to_rgb(image) if channels == 3 else _to_gray(image)


def _to_gray(image: tf.Tensor) -> tf.Tensor:
    """Puts transparent pixels on white: integers [height, width, 1 or 2] -> [height, width, 1]. Refuses colors."""
    is_gray = tf.debugging.Assert(tf.shape(image)[-1] < 3, ["The image has colors, but the model takes gray images."])
    with tf.control_dependencies([is_gray]):
        return to_rgb(image)[..., :1]


def to_rgb(image: tf.Tensor) -> tf.Tensor:
    """Converts gray to RGB, and puts transparent pixels on white: integers [height, width, 1 to 4] -> [..., 3]."""
    shape, white = tf.shape(image), float(image.dtype.max)

    def other() -> tf.Tensor:
        # One or two channels are gray, two or four have alpha.
        color = tf.cast(image[..., : tf.where(shape[-1] < 3, 1, 3)], tf.float32)
        alpha = tf.where(shape[-1] % 2 == 0, tf.cast(image[..., -1:], tf.float32) / white, 1.0)
        over_white = tf.cast(tf.round(color * alpha + white * (1.0 - alpha)), image.dtype)
        return tf.broadcast_to(over_white, [shape[0], shape[1], 3])

    return tf.ensure_shape(tf.cond(shape[-1] == 3, lambda: image, other), [None, None, 3])


def shrink(encoded: tf.Tensor, shorter_side: int, channels: int = 3) -> tf.Tensor:
    """Turns an image upright, and shrinks it until its shorter side has at most this many pixels: bytes [] -> bytes [].

    A JPEG stays a JPEG, an array stays an array of its type, and other formats become PNG, with 16 bits if they have
    16. An upright image that is small enough keeps its bytes, and another small image becomes PNG, as does a PNG file
    with one transparent color.

    Raises:
        tf.errors.InvalidArgumentError: The file is damaged, in a format that is not read here as ingest reads it, or
            has another number of channels.
    """

    def of_file() -> tf.Tensor:
        return tf.cond(
            tf.io.is_jpeg(encoded),
            lambda: _shrink_jpeg(encoded, shorter_side, channels),
            lambda: _shrink_other(encoded, shorter_side, channels),
        )

    if channels in OF_FILES:
        return tf.cond(is_array(encoded), lambda: rare(_shrink_array)(encoded, shorter_side, channels), of_file)
    only_arrays = tf.debugging.Assert(is_array(encoded), [f"The model takes .npy files of {channels} channels."])
    with tf.control_dependencies([only_arrays]):
        return _shrink_array(encoded, shorter_side, channels)


def _shrink_array(encoded: tf.Tensor, shorter_side: int, channels: int) -> tf.Tensor:
    def shrunk(values: tf.Tensor) -> tf.Tensor:
        if values.dtype.is_floating:
            values = tf.debugging.check_numerics(values, "The array has values that are not finite")
        size = tf.shape(values)[:2]
        with tf.control_dependencies([values]):
            return tf.cond(
                tf.reduce_min(size) <= shorter_side,
                lambda: tf.identity(encoded),
                lambda: encode_array(resize_rarely(values, _scaled(size, shorter_side))),
            )

    return with_values(encoded, channels, shrunk)


def _has_16_bits(encoded: tf.Tensor) -> tf.Tensor:
    return is_png(encoded) & tf.strings.regex_full_match(tf.strings.substr(encoded, 0, 25), _SIXTEEN_BITS)


def _shrink_jpeg(encoded: tf.Tensor, shorter_side: int, channels: int) -> tf.Tensor:
    turn = orientation_of_jpeg(encoded)
    size = tf.io.extract_jpeg_shape(encoded)[:2]

    def smaller() -> tf.Tensor:
        # A large image is decoded at a half, a quarter or an eighth of its size, which takes less time and memory.
        enough = tf.reduce_min(size) >= _ENOUGH * shorter_side * tf.constant(_REDUCTIONS[1:])
        step = tf.reduce_sum(tf.cast(enough, tf.int32))
        reduced = tf.switch_case(step, [lambda by=by: _decode_jpeg(encoded, channels, by) for by in _REDUCTIONS])
        extent = size / tf.gather(_REDUCTIONS, step)  # in reduced pixels; the last pixel may count only in part
        small = resize(reduced, _scaled(size, shorter_side), extent)
        return tf.io.encode_jpeg(upright(small, turn), quality=JPEG_QUALITY)

    def as_large() -> tf.Tensor:
        # A second JPEG would lose quality without making the image smaller.
        return tf.cond(
            turn == 1,
            lambda: encoded,
            lambda: tf.io.encode_png(upright(_decode_jpeg(encoded, channels), turn)),
        )

    return tf.cond(tf.reduce_min(size) > shorter_side, smaller, as_large)


@rare
def _shrink_other(encoded: tf.Tensor, shorter_side: int, channels: int) -> tf.Tensor:
    with tf.control_dependencies([_refuse_other_formats(encoded)]):
        file = tf.identity(encoded)
    turn, has_transparent_color, is_deep = orientation_of_png(file), _has_transparent_color(file), _has_16_bits(file)

    def shrunk(kind: tf.DType) -> tuple[tf.Tensor, tf.Tensor]:
        image = _to_channels(decode_file(file, kind, has_transparent_color), channels)
        size = tf.shape(image)[:2]
        is_small = tf.reduce_min(size) <= shorter_side
        smaller = tf.cond(is_small, lambda: image, lambda: resize_rarely(image, _scaled(size, shorter_side)))
        return tf.cast(smaller, tf.uint16), is_small

    def of_pixels() -> tf.Tensor:
        turned = upright(image, turn)
        return tf.cond(is_deep, lambda: tf.io.encode_png(turned), lambda: tf.io.encode_png(tf.cast(turned, tf.uint8)))

    image, is_small = tf.cond(is_deep, lambda: shrunk(tf.uint16), lambda: shrunk(tf.uint8))
    keeps_bytes = is_small & (turn == 1) & is_png(file) & ~has_transparent_color
    return tf.cond(keeps_bytes, lambda: file, of_pixels)


def _refuse_other_formats(encoded: tf.Tensor) -> tf.Operation:
    """Fails for a file whose pixels would differ from those of ingest, which converts it with Pillow."""
    return tf.debugging.Assert(
        tf.io.is_jpeg(encoded) | is_png(encoded) | _is_plain_bmp(encoded),
        ["The image is not a JPEG, PNG or 24-bit BMP file. Convert it to PNG first."],
    )


def _is_plain_bmp(encoded: tf.Tensor) -> tf.Tensor:
    return tf.strings.regex_full_match(tf.strings.substr(encoded, 0, 34), _PLAIN_BMP)


def _scaled(size: tf.Tensor, shorter_side: int) -> tf.Tensor:
    """Returns height and width, int32 [2], with the same aspect ratio."""
    return tf.cast(tf.round(shorter_side / tf.reduce_min(size) * tf.cast(size, tf.float64)), tf.int32)


def center_crop(image: tf.Tensor, size: int, crop_fraction: float) -> tf.Tensor:
    """Crops the central square, this fraction of the shorter side, and resizes it: -> [size, size, channels]."""
    height, width = tf.shape(image)[0], tf.shape(image)[1]
    side = tf.cast(tf.round(crop_fraction * tf.cast(tf.minimum(height, width), tf.float32)), tf.int32)
    top, left = (height - side) // 2, (width - side) // 2
    square = image[top : top + side, left : left + side]
    resized = tf.cond(side == size, lambda: square, lambda: resize(square, [size, size]))
    return tf.ensure_shape(resized, [size, size, image.shape[-1]])
