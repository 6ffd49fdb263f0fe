"""read: turns an image file into a tf.Example, or into a reason why it is not used.

TensorFlow decodes every image here, so that Transform, Trainer and the exported model can decode it too.
"""

from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from efficientmixnet.components.image_example_gen.canonical import canonical
from efficientmixnet.components.image_example_gen.entry import Entry, LeftOut
from efficientmixnet.components.image_example_gen.files import read_bytes
from efficientmixnet.components.image_example_gen.image_header import OpenImage
from efficientmixnet.components.image_example_gen.readers.by_format import LOST
from efficientmixnet.modules import features
from efficientmixnet.modules.data import exif, images
from efficientmixnet.modules.exceptions import BadImage

_PNG_BITS = 24  # the place in the file
# The channels' mean and deviation need few pixels. A JPEG is decoded with at least _ENOUGH_PIXELS on its shorter side:
# at half the size, the deviation of photographs is 2 % lower, as it is at the training size. Of the decoded pixels,
# about _ENOUGH_SAMPLES in each direction are used.
_ENOUGH_PIXELS = 128
_ENOUGH_SAMPLES = 64

See = Callable[[np.ndarray], None]


def read(
    entry: Entry, max_pixels: int, columns: Sequence[str] = (), see: See | None = None
) -> tf.train.Example | LeftOut:
    """Reads an image.

    Args:
        entry: The image.
        max_pixels: The largest number of pixels.
        columns: The names of further features.
        see: Is called with the decoded pixels, [height, width, channels], which may be reduced in size.

    Returns:
        The tf.Example that features.py describes, or the reason why there is none.
    """
    if entry.row is not None:  # unpack() could not read it
        return LeftOut(entry.name, entry.unreadable or LOST)
    file = None
    try:
        file = read_bytes(entry)
        example = _example(entry, file, max_pixels, see)
    except (BadImage, OSError) as error:
        return LeftOut.because(entry.name, error, file if entry.size is None else None)
    values = dict(entry.columns)
    for column in columns:
        example.features.feature[column].bytes_list.value.append(values.get(column, "").encode())
    return example


def _example(entry: Entry, file: bytes, max_pixels: int, see: See | None) -> tf.train.Example:
    encoded, header = canonical(file, max_pixels)
    try:
        mean, mean_square = _moments(encoded, header, see)
    except tf.errors.InvalidArgumentError:
        raise BadImage(f"is a truncated or corrupt {header.format} file") from None
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
    """Returns the bits of each channel of a JPEG or PNG file, 8 or 16. Palettes and fewer bits become 8 bits."""
    return 16 if encoded.startswith(exif.PNG) and encoded[_PNG_BITS] == 16 else 8


def _reduction(header: OpenImage) -> int:
    """Returns the power of two that the JPEG decoder can divide the sides by with enough pixels left."""
    shorter = min(header.width, header.height)
    return next(by for by in (8, 4, 2, 1) if shorter >= by * _ENOUGH_PIXELS or by == 1)


def _moments(encoded: bytes, header: OpenImage, see: See | None) -> tuple[np.ndarray, np.ndarray]:
    """Returns the mean and mean square of R, G and B in [0, 1], each [3]. All bytes are decoded, to find damage."""
    if header.format == "JPEG":
        decoded = tf.io.decode_jpeg(encoded, ratio=_reduction(header))  # costs no extra time
    else:
        decoded = tf.io.decode_png(encoded, dtype=tf.uint16 if _depth(encoded) == 16 else tf.uint8)
    image = np.asarray(memoryview(decoded))  # without copying all pixels
    if see:
        see(header.turned(image))
    step = max(1, min(image.shape[:2]) // _ENOUGH_SAMPLES)
    image = image[step // 2 :: step, step // 2 :: step]
    if image.shape[-1] in (2, 4):
        image = images.to_rgb(tf.constant(image)).numpy()
    values = image.reshape(-1, image.shape[-1]).T.astype(np.float64, order="C") / decoded.dtype.max  # [1 or 3, pixels]
    mean_square = np.einsum("cp,cp->c", values, values) / values.shape[1]
    return np.broadcast_to(values.mean(axis=1), 3), np.broadcast_to(mean_square, 3)
