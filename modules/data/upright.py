"""upright: turns an image upright, by the EXIF orientation that `orientation` reads with plain TensorFlow.

exif.py does the same without TensorFlow. Both must find the same number in every file.
"""

import tensorflow as tf

from efficientmixnet.modules.data import exif
from efficientmixnet.modules.data.rare_branch import rare_branch


def orientation(encoded: tf.Tensor) -> tf.Tensor:
    """Returns the EXIF orientation of a JPEG or PNG file: bytes [] -> int32 [], from 1 to 8. It is 1 without EXIF."""
    none = tf.constant(b"")
    found = tf.cond(
        tf.io.is_jpeg(encoded),
        lambda: _exif_of_jpeg(encoded),
        rare_branch(lambda: tf.cond(is_png(encoded), lambda: _exif_of_png(encoded), lambda: none)),
    )
    return tf.cond(tf.strings.length(found) >= 8, rare_branch(lambda: _orientation_in(found)), lambda: tf.constant(1))


def is_png(encoded: tf.Tensor) -> tf.Tensor:
    """Returns whether this is a PNG file: bytes [] -> bool []."""
    return tf.strings.substr(encoded, 0, len(exif.PNG)) == exif.PNG


def upright(image: tf.Tensor, orientation: tf.Tensor) -> tf.Tensor:
    """Turns an image upright: [height, width, channels] -> [..., ..., channels]."""

    @rare_branch
    def turned() -> tf.Tensor:
        stored = tf.cond(orientation >= 5, lambda: tf.transpose(image, [1, 0, 2]), lambda: image)
        is_mirrored = tf.reduce_any(orientation == [2, 3, 6, 7])
        is_upside_down = tf.reduce_any(orientation == [3, 4, 7, 8])
        return tf.raw_ops.Reverse(tensor=stored, dims=tf.stack([is_upside_down, is_mirrored, False]))

    return tf.cond(orientation > 1, turned, lambda: image)


def _exif_of_jpeg(encoded: tf.Tensor) -> tf.Tensor:
    length = tf.strings.length(encoded)
    head = len(exif.EXIF)

    def is_left(step: tf.Tensor, place: tf.Tensor, _: tf.Tensor) -> tf.Tensor:
        return (step < exif.MOST_SEGMENTS) & (place + 4 + head <= length)

    def segment(step: tf.Tensor, place: tf.Tensor, _: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        first, marker, high, low = tf.unstack(_bytes(tf.strings.substr(encoded, place, 4 + head))[:4], 4)
        content, size = place + 4, 256 * high + low - 2
        is_metadata = (marker // 16 == 0xE) | (marker == exif.COMMENT)
        following = tf.where(marker == 0xFF, place + 1, tf.where(is_metadata, content + size, length))
        is_exif = (first == 0xFF) & (marker == 0xE1) & (tf.strings.substr(encoded, content, head) == exif.EXIF)
        found = tf.strings.substr(encoded, content + head, tf.where(is_exif, tf.maximum(size - head, 0), 0))
        return step + 1, tf.where((first != 0xFF) | is_exif, length, following), found

    return tf.while_loop(is_left, segment, (tf.constant(0), tf.constant(2), tf.constant(b"")))[2]


def _exif_of_png(encoded: tf.Tensor) -> tf.Tensor:
    """Returns EXIF's bytes and what follows them."""
    after = tf.strings.split(encoded, exif.PNG_CHUNK)[1:]
    found = tf.boolean_mask(after, _has_byte_order(after))
    return tf.strings.substr(tf.concat([found, [b""]], 0)[0], 0, exif.LONGEST)


def _orientation_in(found: tf.Tensor) -> tf.Tensor:
    """Returns the number that the first directory holds, or 1."""
    values = _bytes(found)
    is_big = values[0] == exif.BIG[0]

    def number(digits: tf.Tensor) -> tf.Tensor:
        """Bytes [..., n] -> int64 [...]."""
        weights = 256 ** tf.range(tf.shape(digits, tf.int64)[-1])
        return tf.reduce_sum(tf.cast(digits, tf.int64) * tf.where(is_big, weights[::-1], weights), axis=-1)

    directory = values[tf.minimum(number(values[4:8]), tf.size(values, tf.int64)) :]
    entries = directory[2 : 2 + exif.ENTRY * number(directory[:2])]
    entries = tf.reshape(entries[: tf.size(entries) // exif.ENTRY * exif.ENTRY], [-1, exif.ENTRY])
    entry = tf.boolean_mask(entries, number(entries[:, :2]) == exif.TAG)[:1]  # [0 or 1, 12]
    kind = number(entry[:, 2:4])
    value = tf.where(kind == exif.SHORT, number(entry[:, 8:10]), tf.where(kind == exif.LONG, number(entry[:, 8:]), 0))
    largest = tf.reduce_max(tf.concat([value, [1]], 0))  # 1 without the tag
    return tf.where(_has_byte_order(found) & (largest <= 8), tf.cast(largest, tf.int32), 1)


def _has_byte_order(found: tf.Tensor) -> tf.Tensor:
    head = tf.strings.substr(found, 0, len(exif.BIG))
    return (head == exif.LITTLE) | (head == exif.BIG)


def _bytes(text: tf.Tensor) -> tf.Tensor:
    return tf.cast(tf.io.decode_raw(text, tf.uint8), tf.int32)
