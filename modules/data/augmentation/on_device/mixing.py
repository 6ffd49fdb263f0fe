"""mix_images, mix_labels: mixup and CutMix of a batch on the device, as in `augmentation.mixing`."""

from typing import Any

from keras import ops


def mix_images(levels: Any, weight: Any, cut: Any, middle: Any) -> tuple[Any, Any]:
    """Mixes every image with the previous image of the batch.

    Args:
        levels: float32 [B, H, W, 3].
        weight: The weight λ of each image in mixup, [B].
        cut: The sides of CutMix's rectangles, [B], as fractions of the image's sides.
        middle: The rows and columns of their middles, [B, 2], in the same unit.

    Returns:
        The images, and the weight of each image in its label, [B].
    """
    rows = inside(middle[:, 0], cut, levels.shape[1])  # [B, H]
    columns = inside(middle[:, 1], cut, levels.shape[2])  # [B, W]
    patch = ops.logical_and(rows[:, :, None], columns[:, None, :])  # [B, H, W]
    own = weight * (1 - ops.mean(ops.cast(patch, "float32"), axis=(1, 2)))  # only one of the factors is not 1
    partner, broadcast = partner_of(levels), weight[:, None, None, None]
    return ops.where(patch[..., None], partner, broadcast * levels + (1 - broadcast) * partner), own


def mix_labels(labels: Any, weight: Any) -> Any:
    """Mixes labels [B, K], or the weights of images in the loss, [B], with those of the previous image."""
    weight = ops.reshape(weight, (-1, *[1] * (len(labels.shape) - 1)))
    return weight * labels + (1 - weight) * partner_of(labels)


def partner_of(batch: Any) -> Any:
    """Returns the previous image for each image. With TensorFlow, it is one of the same device."""
    return ops.roll(batch, 1, axis=0)


def inside(middle: Any, cut: Any, side: int) -> Any:
    """Returns which pixels of a side are in the interval of length `cut` [B] around `middle` [B]: bool [B, side]."""
    pixel = ops.arange(side, dtype="float32")[None, :] + 0.5
    return ops.abs(pixel - (middle * side)[:, None]) < (cut * side / 2)[:, None]
