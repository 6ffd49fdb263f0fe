"""Arrays of any number of channels as .npy files, which plain TensorFlow decodes and encodes.

The files have version 1.0, C order and little-endian values: [height, width, channels] of uint8, uint16 or float32.
Ingest converts other arrays to this form.
"""

from collections.abc import Callable

import tensorflow as tf

NPY = b"\x93NUMPY"
LARGEST = {tf.uint8: 255, tf.uint16: 65535, tf.float32: 1}
"""The value of each type that is white."""

_KINDS = {tf.uint8: "|u1", tf.uint16: "<u2", tf.float32: "<f4"}
_VERSION = NPY + b"\x01\x00"
_FIXED = len(_VERSION) + 2  # bytes: the beginning and the length of the description
_DESCRIPTION = 118  # bytes, so that the values begin at a multiple of 64, as NumPy's do
_SIDE = r"([1-9]\d{0,5})"
_PATTERN = (
    r"\{'descr': '(\|u1|<u2|<f4)', 'fortran_order': False, 'shape': \("
    rf"{_SIDE}, {_SIDE}, {_SIDE}\), ?\}} *\n?"
)


def is_array(encoded: tf.Tensor) -> tf.Tensor:
    """Returns whether this is an .npy file: bytes [] -> bool []."""
    return tf.strings.substr(encoded, 0, len(NPY)) == NPY


def encode_array(values: tf.Tensor) -> tf.Tensor:
    """Encodes uint8, uint16 or float32 [height, width, channels] -> bytes []."""
    size = tf.strings.reduce_join(tf.strings.as_string(tf.shape(values)), separator=", ")
    text = tf.strings.join(["{'descr': '", _KINDS[values.dtype], "', 'fortran_order': False, 'shape': (", size, "), }"])
    padded = tf.strings.substr(tf.strings.join([text, " " * _DESCRIPTION]), 0, _DESCRIPTION - 1)
    # A serialized tensor ends with its values, and TensorFlow has no other operation that returns them.
    content = tf.io.serialize_tensor(values)
    size_in_bytes = tf.size(values) * values.dtype.size
    content = tf.strings.substr(content, tf.strings.length(content) - size_in_bytes, size_in_bytes)
    return tf.strings.join([_VERSION + bytes([_DESCRIPTION, 0]), padded, "\n", content])


def with_values(encoded: tf.Tensor, channels: int, use: Callable[[tf.Tensor], tf.Tensor]) -> tf.Tensor:
    """Decodes an array, and returns what a function makes of it.

    Args:
        encoded: An .npy file, bytes [].
        channels: The number of channels that the array must have.
        use: Takes uint8, uint16 or float32 [height, width, channels]. It returns the same type for each of them.

    Raises:
        tf.errors.InvalidArgumentError: The file has another form, is truncated, or has another number of channels.
    """
    start = _FIXED + _length_of_description(encoded)
    description = tf.strings.substr(encoded, _FIXED, start - _FIXED)
    with tf.control_dependencies([_assert(tf.strings.regex_full_match(description, _PATTERN), _FORM)]):
        kind, *numbers = (tf.strings.regex_replace(description, _PATTERN, rf"\{n}") for n in range(1, 5))
    shape = tf.strings.to_number(tf.stack(numbers), tf.int64)
    chosen = tf.argmax(tf.stack([kind == one for one in _KINDS.values()]), output_type=tf.int32)
    expected = tf.reduce_prod(shape) * tf.gather(tf.constant([one.size for one in _KINDS], tf.int64), chosen)
    is_whole = tf.cast(tf.strings.length(encoded) - start, tf.int64) == expected
    checks = [
        _assert(is_whole, "The .npy file is truncated, or has more bytes than its shape."),
        _assert(
            shape[2] == channels, f"The array has another number of channels than the model, which has {channels}."
        ),
    ]
    with tf.control_dependencies(checks):
        content = tf.strings.substr(encoded, start, tf.strings.length(encoded) - start)

    def decoded(kind: tf.DType) -> Callable[[], tf.Tensor]:
        return lambda: use(tf.ensure_shape(tf.reshape(tf.io.decode_raw(content, kind), shape), [None, None, channels]))

    return tf.switch_case(chosen, [decoded(kind) for kind in _KINDS])


_FORM = (
    "The array is not an .npy file of version 1.0, in C order, little-endian, with the shape [height, width, channels] "
    "and uint8, uint16 or float32. Save numpy.ascontiguousarray of it."
)


def as_pixels(values: tf.Tensor, deep: bool) -> tf.Tensor:
    """Scales an array to the network's input, where white is 255: uint8, or float32 if deep.

    Floats keep their values, times 255. So they may be below 0 and above 255 if deep.
    """
    if values.dtype == tf.uint8:
        return tf.cast(values, tf.float32) if deep else values
    scaled = tf.cast(values, tf.float32)
    scaled = scaled / 257.0 if values.dtype == tf.uint16 else scaled * 255.0
    return scaled if deep else tf.cast(tf.clip_by_value(tf.round(scaled), 0.0, 255.0), tf.uint8)


def _length_of_description(encoded: tf.Tensor) -> tf.Tensor:
    head = tf.strings.substr(encoded, 0, _FIXED)
    is_first_version = tf.strings.substr(head, 0, len(_VERSION)) == _VERSION
    with tf.control_dependencies([_assert(is_first_version & (tf.strings.length(head) == _FIXED), _FORM)]):
        low, high = tf.unstack(tf.cast(tf.io.decode_raw(tf.strings.substr(head, _FIXED - 2, 2), tf.uint8), tf.int32), 2)
    length = low + 256 * high
    with tf.control_dependencies([_assert(_FIXED + length <= tf.strings.length(encoded), _FORM)]):
        return tf.identity(length)


def _assert(condition: tf.Tensor, message: str) -> tf.Operation:
    return tf.debugging.Assert(condition, [message])
