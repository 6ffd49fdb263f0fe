"""read: turns an image file into a tf.Example, or into a reason why it is not used.

TensorFlow decodes every image here, so that Transform, Trainer and the exported model can decode it too.
"""

import io
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from efficientmixnet.components.image_example_gen.array_file import is_array
from efficientmixnet.components.image_example_gen.canonical import KEPT, canonical
from efficientmixnet.components.image_example_gen.damaged import damaged
from efficientmixnet.components.image_example_gen.entry import MAX_IMAGE_BYTES, Entry, LeftOut
from efficientmixnet.components.image_example_gen.files import read_bytes
from efficientmixnet.components.image_example_gen.image_header import OpenImage
from efficientmixnet.components.image_example_gen.png_chunks import TRANSPARENCY
from efficientmixnet.components.image_example_gen.readers.by_format import LOST
from efficientmixnet.modules import features
from efficientmixnet.modules.data import exif, images
from efficientmixnet.modules.data.shown import as_rgb
from efficientmixnet.modules.exceptions import BadImage

_PNG_BITS = 24  # the place in the file
# The channels' mean and deviation need few pixels. A JPEG is decoded with at least _ENOUGH_PIXELS on its shorter side:
# at half the size, the deviation of photographs is 2 % lower, as it is at the training size. Of the decoded pixels,
# about _ENOUGH_SAMPLES in each direction are used.
_ENOUGH_PIXELS = 128
_ENOUGH_SAMPLES = 64

See = Callable[[np.ndarray], None]


def read(
    entry: Entry,
    max_pixels: int,
    columns: Sequence[str] = (),
    see: See | None = None,
    channels: int = 3,
    max_bytes: int = MAX_IMAGE_BYTES,
) -> tf.train.Example | LeftOut:
    """Reads an image.

    Args:
        entry: The image.
        max_pixels: The largest number of pixels.
        columns: The names of further features.
        see: Is called with the decoded pixels, [height, width, 1 to 4], which may be reduced in size.
        channels: The number of channels that the image must have.
        max_bytes: The largest size of the values of an array.

    Returns:
        The tf.Example that features.py describes, or the reason why there is none.
    """
    if entry.row is not None:  # unpack() could not read it
        return LeftOut(entry.name, entry.unreadable or LOST)
    file = None
    try:
        file = read_bytes(entry)
        encoded, header = canonical(file, max_pixels, channels, max_bytes)
        example = _example(entry, encoded, header, channels, see)
    except (BadImage, OSError) as error:
        return LeftOut.because(entry.name, error, file if entry.size is None else None)
    values = dict(entry.columns)
    for column in columns:
        example.features.feature[column].bytes_list.value.append(values.get(column, "").encode())
    return example


def _example(entry: Entry, encoded: bytes, header: OpenImage, channels: int, see: See | None) -> tf.train.Example:
    try:
        mean, mean_square = _moments(encoded, header, channels, see)
    except tf.errors.InvalidArgumentError:
        raise damaged(header.format) from None
    example = tf.train.Example()
    feature = example.features.feature  # filled in place, since protobuf copies messages
    for name, text in (
        (features.ENCODED, encoded),
        (features.LABEL, entry.label.encode()),
        (features.FILENAME, entry.name.encode()),
        (features.FORMAT, header.format.encode()),
        (features.COLORSPACE, header.mode.encode()),
        (features.SIZE, features.size_bucket(header.height, header.width).encode()),
    ):
        feature[name].bytes_list.value.append(text)
    feature[features.HEIGHT].int64_list.value.append(header.height)
    feature[features.WIDTH].int64_list.value.append(header.width)
    feature[features.DEPTH].int64_list.value.append(_depth(encoded))
    feature[features.CHANNEL_MEAN].float_list.value.extend(mean)
    feature[features.CHANNEL_MEAN_SQUARE].float_list.value.extend(mean_square)
    return example


def _depth(encoded: bytes) -> int:
    """Returns the bits of each channel of a JPEG, PNG or .npy file. Palettes and fewer bits become 8 bits."""
    if is_array(encoded):
        return 8 * _values(encoded).dtype.itemsize
    return 16 if encoded.startswith(exif.PNG) and encoded[_PNG_BITS] == 16 else 8


def _reduction(header: OpenImage) -> int:
    """Returns the power of two that the JPEG decoder can divide the sides by with enough pixels left."""
    shorter = min(header.width, header.height)
    return next(by for by in (8, 4, 2, 1) if shorter >= by * _ENOUGH_PIXELS or by == 1)


def _values(array: bytes) -> np.ndarray:
    return np.load(io.BytesIO(array), allow_pickle=False)  # written by as_npy


def _moments(encoded: bytes, header: OpenImage, channels: int, see: See | None) -> tuple[np.ndarray, np.ndarray]:
    """Returns the mean and mean square of each channel, where white is 1. All bytes are decoded, to find damage."""
    image = _values(encoded) if header.is_array else _decoded(encoded, header)
    if see:
        see(_upright(image, header))
    step = max(1, min(image.shape[:2]) // _ENOUGH_SAMPLES)
    white = 1.0 if image.dtype.kind == "f" else np.iinfo(image.dtype).max
    image = image[step // 2 :: step, step // 2 :: step]
    if not header.is_array and image.shape[-1] in (2, 4):
        image = images.to_rgb(tf.constant(image)).numpy()[..., :channels]
    # Channel by channel is several times faster, because a channel fits into the processor's cache.
    planes = [image[..., channel].astype(np.float64).ravel() for channel in range(image.shape[-1])]
    mean = [plane.mean() / white for plane in planes]
    # Not with plane @ plane: its library would keep another core busy by waiting for the next product.
    mean_square = [np.square(plane).mean() / white**2 for plane in planes]
    return np.broadcast_to(mean, channels), np.broadcast_to(mean_square, channels)


def _upright(image: np.ndarray, header: OpenImage) -> np.ndarray:
    """The decoded image, upright. An array is shown in RGB, with fewer pixels if it is large."""
    if header.is_array:
        step = max(1, min(image.shape[:2]) // _ENOUGH_SAMPLES)
        return as_rgb(image[::step, ::step])
    return header.turned(image) if header.format in KEPT else image  # converted files are upright


def _decoded(encoded: bytes, header: OpenImage) -> np.ndarray:
    """Decodes a JPEG or PNG file: [height, width, 1 to 4]. A large JPEG is reduced in size."""
    kind = tf.uint16 if _depth(encoded) == 16 else tf.uint8
    if header.format == "JPEG":
        decoded = tf.io.decode_jpeg(encoded, ratio=_reduction(header))  # costs no extra time
    elif TRANSPARENCY in encoded:
        decoded = images.decode_file(encoded, kind)  # takes a millisecond longer outside of a graph
    else:
        decoded = tf.io.decode_image(encoded, 0, kind, expand_animations=False)
    return np.asarray(memoryview(decoded))  # without copying all pixels
