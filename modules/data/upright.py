"""upright: turns an image upright, by the EXIF orientation that `orientation` reads with plain TensorFlow.

exif.py does the same without TensorFlow. Both must find the same number in every file.
"""

import struct

import tensorflow as tf

from efficientmixnet.modules.data import exif
from efficientmixnet.modules.data.rare import rare

_REVERSED = [[number in (3, 4, 7, 8), number in (2, 3, 6, 7), False] for number in range(9)]
"""By orientation, whether the order of rows, columns and channels is reversed."""


def _directory(order: str) -> str:
    r"""Returns a pattern that matches every directory of this byte order, < or >.

    \1\2 is the value of the first entry with the tag, as one byte, or empty without a valid one. As in exif.py, later
    entries with the tag do not count.
    """
    tag, short, long = (
        "".join(rf"\x{byte:02x}" for byte in struct.pack(f"{order}H", number))
        for number in (exif.TAG, exif.SHORT, exif.LONG)
    )
    digit, count = r"([\x01-\x08])", r"\C{4}"
    number, long_number = (
        (rf"{digit}\x00\C{{2}}", rf"{digit}\x00{{3}}")
        if order == "<"
        else (rf"\x00{digit}\C{{2}}", rf"\x00{{3}}{digit}")
    )
    of_tag = rf"{tag}(?:{short}{count}{number}|{long}{count}{long_number}|\C{{{exif.ENTRY - 2}}})"
    return rf"(?s)^(?:(?:\C{{{exif.ENTRY}}})*?{of_tag})?\C*$"


_LITTLE, _BIG = _directory("<"), _directory(">")


def orientation(encoded: tf.Tensor) -> tf.Tensor:
    """Returns the EXIF orientation of a JPEG or PNG file: bytes [] -> int32 [], from 1 to 8. It is 1 without EXIF."""
    return tf.cond(tf.io.is_jpeg(encoded), lambda: orientation_of_jpeg(encoded), lambda: orientation_of_png(encoded))


def orientation_of_jpeg(encoded: tf.Tensor) -> tf.Tensor:
    """Returns the orientation of a file that is known to be a JPEG."""
    return _orientation_in(_exif_of_jpeg(encoded))


def orientation_of_png(encoded: tf.Tensor) -> tf.Tensor:
    """Returns the orientation of a PNG file, and 1 for a file in another format."""
    return tf.where(is_png(encoded), _orientation_in(_exif_of_png(encoded)), 1)


def is_png(encoded: tf.Tensor) -> tf.Tensor:
    """Returns whether this is a PNG file: bytes [] -> bool []."""
    return tf.strings.substr(encoded, 0, len(exif.PNG)) == exif.PNG


def upright(image: tf.Tensor, orientation: tf.Tensor) -> tf.Tensor:
    """Turns an image upright: [height, width, channels] -> [..., ..., channels]."""
    return tf.cond(orientation > 1, lambda: _turned(image, orientation), lambda: image)


@rare
def _turned(image: tf.Tensor, orientation: tf.Tensor) -> tf.Tensor:
    stored = tf.transpose(image, tf.where(orientation >= 5, [1, 0, 2], [0, 1, 2]))
    return tf.raw_ops.Reverse(tensor=stored, dims=tf.gather(_REVERSED, orientation))


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
    after = tf.raw_ops.StringSplitV2(input=[encoded], sep=exif.PNG_CHUNK).values[1:]
    found = tf.boolean_mask(after, _has_byte_order(after))
    return tf.strings.substr(tf.concat([found, [b""]], 0)[0], 0, exif.LONGEST)


def _orientation_in(found: tf.Tensor) -> tf.Tensor:
    """Returns the number that the first directory holds, or 1."""
    is_valid = _has_byte_order(found) & (tf.strings.length(found) >= 8)
    return tf.cond(is_valid, lambda: _orientation_of_tiff(found), lambda: tf.constant(1))


@rare
def _orientation_of_tiff(found: tf.Tensor) -> tf.Tensor:
    is_big = tf.strings.substr(found, 0, len(exif.BIG)) == exif.BIG

    def number(digits: tf.Tensor, kind: tf.DType) -> tf.Tensor:
        either = [tf.io.decode_raw(digits, kind, little_endian=is_little) for is_little in (True, False)]
        return tf.cast(tf.where(is_big, either[1], either[0])[0], tf.int32)

    size = tf.strings.length(found)
    start = number(tf.strings.substr(found, 4, 4), tf.int32)
    directory = tf.strings.substr(found, tf.where((start < 0) | (start > size), size, start), exif.LONGEST)
    count = number(tf.strings.substr(tf.strings.join([directory, "\0\0"]), 0, 2), tf.uint16)
    entries = tf.strings.substr(directory, tf.minimum(2, tf.strings.length(directory)), exif.ENTRY * count)
    value = tf.strings.regex_replace(entries, tf.where(is_big, _BIG, _LITTLE), r"\1\2", replace_global=False)
    return tf.cast(tf.io.decode_raw(tf.strings.join([value, b"\x01"]), tf.uint8)[0], tf.int32)


def _has_byte_order(found: tf.Tensor) -> tf.Tensor:
    head = tf.strings.substr(found, 0, len(exif.BIG))
    return (head == exif.LITTLE) | (head == exif.BIG)


def _bytes(text: tf.Tensor) -> tf.Tensor:
    return tf.cast(tf.io.decode_raw(text, tf.uint8), tf.int32)
