"""read: turns an image file into a tf.Example, or into a reason why it is not used.

TensorFlow decodes every image here, so that Transform, Trainer and the exported model can decode it too.
"""

import io
from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from PIL import Image

from efficientmixnet.components.image_example_gen.entry import Entry, LeftOut
from efficientmixnet.components.image_example_gen.files import read_bytes
from efficientmixnet.components.image_example_gen.image_header import DECODING_ERRORS, damaged, open_image
from efficientmixnet.components.image_example_gen.readers.by_format import LOST
from efficientmixnet.modules import features
from efficientmixnet.modules.data import images
from efficientmixnet.modules.exceptions import BadImage

# Other formats are converted to PNG, since TensorFlow supports fewer of their variants than Pillow.
_KEPT = ("JPEG", "PNG")
# The channels' mean and deviation need few pixels. A JPEG is decoded with at least _ENOUGH_PIXELS on its shorter side:
# at half the size, the deviation of photographs is 2 % lower, as it is at the training size. Of the decoded pixels,
# about _ENOUGH_SAMPLES in each direction are used.
_ENOUGH_PIXELS = 128
_ENOUGH_SAMPLES = 64


def read(entry: Entry, max_pixels: int, columns: Sequence[str] = ()) -> tf.train.Example | LeftOut:
    """Reads an image.

    Args:
        entry: The image.
        max_pixels: The largest number of pixels.
        columns: The names of further features.

    Returns:
        The tf.Example that features.py describes, or the reason why there is none.
    """
    if entry.row is not None:  # unpack() could not read it
        return LeftOut(entry.name, entry.unreadable or LOST)
    file = None
    try:
        file = read_bytes(entry)
        example = _example(entry, file, max_pixels)
    except (BadImage, OSError) as error:
        return LeftOut.because(entry.name, error, file if entry.size is None else None)
    values = dict(entry.columns)
    for column in columns:
        example.features.feature[column].bytes_list.value.append(values.get(column, "").encode())
    return example


def canonical(encoded: bytes, max_pixels: int) -> tuple[bytes, Image.Image]:
    """Returns the image as a JPEG or PNG file, which records and models take.

    Args:
        encoded: The image in any supported format.
        max_pixels: The largest number of pixels.

    Returns:
        The JPEG or PNG file, and the original file's header.

    Raises:
        BadImage: The file is not an image, is damaged, or has too many pixels.
    """
    header = open_image(encoded, max_pixels)
    return (encoded if header.format in _KEPT else _as_png(header)), header


def _as_png(image: Image.Image) -> bytes:
    mode = "RGBA" if "A" in image.getbands() or "transparency" in image.info else "RGB"
    png = io.BytesIO()
    try:
        image.convert(mode).save(png, "PNG")
    except DECODING_ERRORS:
        raise damaged(image) from None
    return png.getvalue()


def _example(entry: Entry, file: bytes, max_pixels: int) -> tf.train.Example:
    encoded, header = canonical(file, max_pixels)
    try:
        mean, mean_square = _moments(encoded, header)
    except tf.errors.InvalidArgumentError:
        raise damaged(header) from None
    example = tf.train.Example()
    feature = example.features.feature  # filled in place, since protobuf copies messages
    for name, text in (
        (features.ENCODED, encoded),
        (features.LABEL, entry.label.encode()),
        (features.FILENAME, entry.name.encode()),
        (features.FORMAT, str(header.format).encode()),
        (features.COLORSPACE, header.mode.encode()),
        (features.SIZE, features.size_bucket(header.height, header.width).encode()),
    ):
        feature[name].bytes_list.value.append(text)
    feature[features.HEIGHT].int64_list.value.append(header.height)
    feature[features.WIDTH].int64_list.value.append(header.width)
    feature[features.CHANNEL_MEAN].float_list.value.extend(mean)
    feature[features.CHANNEL_MEAN_SQUARE].float_list.value.extend(mean_square)
    return example


def _reduction(header: Image.Image) -> int:
    """Returns the power of two that the JPEG decoder can divide the sides by with enough pixels left."""
    shorter = min(header.width, header.height)
    return next(by for by in (8, 4, 2, 1) if shorter >= by * _ENOUGH_PIXELS or by == 1)


def _moments(encoded: bytes, header: Image.Image) -> tuple[np.ndarray, np.ndarray]:
    """Returns the mean and mean square of R, G and B in [0, 1], each [3]. All bytes are decoded, to find damage."""
    if header.format == "JPEG":
        decoded = tf.io.decode_jpeg(encoded, ratio=_reduction(header))  # costs no extra time
    else:
        decoded = tf.io.decode_png(encoded)
    image = np.asarray(memoryview(decoded))  # without copying all pixels
    step = max(1, min(image.shape[:2]) // _ENOUGH_SAMPLES)
    image = image[step // 2 :: step, step // 2 :: step]
    if image.shape[-1] in (2, 4):
        image = images.to_rgb(image).numpy()
    values = image.reshape(-1, image.shape[-1]).T.astype(np.float64, order="C") / 255.0  # [1 or 3, pixels]
    mean_square = np.einsum("cp,cp->c", values, values) / values.shape[1]
    return np.broadcast_to(values.mean(axis=1), 3), np.broadcast_to(mean_square, 3)
