"""Images small enough for the page: thumbnails and class activation maps."""

import base64
import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf
from PIL import Image

from efficientmixnet.components.image_example_gen.image_header import open_image
from efficientmixnet.components.without_optimizer import without_optimizer
from efficientmixnet.modules.data.shown import as_rgb

if TYPE_CHECKING:
    from efficientmixnet.components.report.write_predictions import Classifier

SIDE = 112  # pixels, the longer side of a thumbnail
_QUALITY = 80
_BATCH = 32
# Viridis. Its brightness grows with the value, so that it also works without colors.
_COLORS = np.array([[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]], float)


def thumbnail(encoded: bytes, side: int = SIDE, bands: Sequence[int] | None = None) -> str:
    """Returns the image as a data URI, at most `side` pixels wide and high.

    Args:
        encoded: The image.
        side: In pixels.
        bands: The channels of an array to show; see as_rgb.
    """
    return _data_uri(open_image(encoded, channels=None).thumbnail(side, bands))


def activation_maps(
    model: "Classifier", images: Mapping[str, bytes], labels: Sequence[str], bands: Sequence[int] | None = None
) -> dict[str, str]:
    """Returns each image with the regions that are important for its label in color, as a data URI.

    Args:
        model: The exported model.
        images: The encoded images by name.
        labels: One label for each image.
        bands: The channels of an array to show; see as_rgb.

    Returns:
        The maps by name; empty for a model that was exported without `class_activations`.
    """
    if not hasattr(model.model, "class_activations"):
        return {}
    names, maps = list(images), {}
    places = {label: place for place, label in enumerate(model.labels)}
    for start in range(0, len(names), _BATCH):
        batch = names[start : start + _BATCH]
        classes = [places[label] for label in labels[start : start + _BATCH]]
        with without_optimizer():
            found = model.model.class_activations(
                tf.constant([images[name] for name in batch]), tf.constant(classes, tf.int64)
            )
        for name, seen, activations in zip(batch, found["inputs"].numpy(), found["activations"].numpy(), strict=True):
            maps[name] = overlaid(seen, activations, bands=bands)
    return maps


def overlaid(seen: np.ndarray, activations: np.ndarray, side: int = SIDE, bands: Sequence[int] | None = None) -> str:
    """Returns the network's input with a class activation map in color, as a data URI.

    Args:
        seen: The network's input, [size, size, channels].
        activations: The map, float [height, width].
        side: The width and height of the result in pixels.
        bands: The channels of an array to show; see as_rgb.
    """
    heat = np.maximum(activations, 0.0)
    heat = heat / max(heat.max(), 1e-12)
    size = (side, side)
    smooth = np.asarray(Image.fromarray((heat * 255).astype(np.uint8)).resize(size, Image.Resampling.BICUBIC)) / 255.0
    image = np.asarray(
        Image.fromarray(as_rgb(seen, bands)).convert("L").resize(size, Image.Resampling.BILINEAR), float
    )[..., None]
    stops = np.linspace(0, 1, len(_COLORS))
    colors = np.stack([np.interp(smooth, stops, _COLORS[:, channel]) for channel in range(3)], axis=-1)
    return _data_uri(Image.fromarray((0.45 * image + 0.55 * colors).astype(np.uint8)))


def _data_uri(image: Image.Image) -> str:
    file = io.BytesIO()
    if max(image.size) <= 40:  # a very small image is smaller and sharper as a PNG
        image.save(file, "PNG", optimize=True)
        kind = "png"
    else:
        image.save(file, "JPEG", quality=_QUALITY, optimize=True)
        kind = "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(file.getvalue()).decode()}"
