"""One file becomes one tf.Example, or a reason why it cannot.

TensorFlow decodes what TensorFlow will train on: what passes here, Transform, Trainer and the exported model can read.
"""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image, UnidentifiedImageError

from efficientmixnet.components.image_example_gen.entry import SUFFIXES, Entry, LeftOut
from efficientmixnet.components.image_example_gen.files import read_bytes
from efficientmixnet.modules import features
from efficientmixnet.modules.data import images
from efficientmixnet.modules.exceptions import BadImage

# Kept as they are; every other format becomes a PNG, since TensorFlow reads fewer of their kinds than Pillow.
_KEPT = ("JPEG", "PNG")
_READ = (*_KEPT, "GIF", "BMP", "WEBP", "TIFF")
# Pixels of the shorter side that are enough for the mean and deviation of the channels: of photographs at half their
# size the deviation is a fiftieth lower, as it is at the size that training reads; and of a sharp image, every so
# many pixels of a row and of a column say the same.
_ENOUGH_PIXELS = 128
_ENOUGH_SAMPLES = 64

# Pillow's own limit warns at a size of its choosing; ours is a key of the configuration and is checked in `read`.
Image.MAX_IMAGE_PIXELS = None


def read(entry: Entry, max_pixels: int, columns: Sequence[str] = ()) -> tf.train.Example | LeftOut:
    """Reads the entry's image: the tf.Example of features.py with the further columns, or why there is none."""
    try:
        example = _example(entry, read_bytes(entry), max_pixels)
    except (BadImage, OSError) as error:
        # A stray .txt or .xml beside the images is named, but is no sign of broken data.
        suffix = Path(entry.name).suffix.lower()
        reason = f"cannot be read: {error.strerror or error}" if isinstance(error, OSError) else str(error)
        return LeftOut(entry.name, reason, counts=suffix in SUFFIXES or not suffix)
    values = dict(entry.columns)
    for column in columns:
        example.features.feature[column].bytes_list.value.append(values.get(column, "").encode())
    return example


def canonical(encoded: bytes, max_pixels: int) -> tuple[bytes, Image.Image]:
    """The bytes as they enter records and models, a JPEG or PNG file, and the file's header.

    Raises:
        BadImage: nothing in `encoded` can be read as an image, or it has more than `max_pixels`.
    """
    if not encoded:
        raise BadImage("has zero bytes")
    try:
        header = Image.open(io.BytesIO(encoded), formats=_READ)
    except UnidentifiedImageError:
        raise BadImage("is no image of a known format") from None
    except (OSError, ValueError, SyntaxError) as error:
        raise BadImage(f"has a broken header ({error})") from None
    if header.width * header.height > max_pixels:
        raise BadImage(f"has {header.width} x {header.height} pixels, over the limit (data.max_pixels: {max_pixels})")
    return (encoded if header.format in _KEPT else _as_png(header)), header


def _as_png(image: Image.Image) -> bytes:
    mode = "RGBA" if "A" in image.getbands() or "transparency" in image.info else "RGB"
    png = io.BytesIO()
    try:
        image.convert(mode).save(png, "PNG")
    except (OSError, ValueError, SyntaxError) as error:
        raise BadImage(f"is a broken {image.format} file ({error})") from None
    return png.getvalue()


def _example(entry: Entry, file: bytes, max_pixels: int) -> tf.train.Example:
    encoded, header = canonical(file, max_pixels)
    try:
        mean, mean_square = _moments(encoded, header)
    except tf.errors.InvalidArgumentError:
        raise BadImage(f"is a truncated or corrupt {header.format} file") from None
    example = tf.train.Example()
    feature = example.features.feature  # filled in place: every message of its own would be copied
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
    """By how much the sides can be divided with pixels enough left; a power of two, as JPEG's decoder can do."""
    shorter = min(header.width, header.height)
    return next(by for by in (8, 4, 2, 1) if shorter >= by * _ENOUGH_PIXELS or by == 1)


def _moments(encoded: bytes, header: Image.Image) -> tuple[np.ndarray, np.ndarray]:
    """Mean and mean square of R, G and B in [0, 1], each [3]; all bytes are read, so a broken image shows."""
    if header.format == "JPEG":
        decoded = tf.io.decode_jpeg(encoded, ratio=_reduction(header))  # smaller for free
    else:
        decoded = tf.io.decode_png(encoded)
    image = np.asarray(memoryview(decoded))  # where it lies; a copy of all pixels would be for nothing
    step = max(1, min(image.shape[:2]) // _ENOUGH_SAMPLES)
    image = image[step // 2 :: step, step // 2 :: step]
    if image.shape[-1] in (2, 4):
        image = images.to_rgb(image).numpy()
    values = image.reshape(-1, image.shape[-1]).T.astype(np.float64, order="C") / 255.0  # [1 or 3, pixels]
    mean_square = np.einsum("cp,cp->c", values, values) / values.shape[1]
    return np.broadcast_to(values.mean(axis=1), 3), np.broadcast_to(mean_square, 3)
