"""RandAugment's color operations for a batch on the device, as in `augmentation.colors`: [B, H, W, 3] -> [B, H, W, 3].

The levels are float32 from 0 to 255. `whole` says that they are whole numbers. Then the results are rounded as Pillow
rounds them. Sums of whole numbers up to 2²⁴ are exact in float32, so an image may have at most 2²⁴ pixels.
"""

from typing import Any

from keras import ops

_LUMA = (19595.0, 38470.0, 7471.0)  # of R, G and B, in 65536ths, as in ITU-R 601


def auto_contrast(levels: Any, whole: bool) -> Any:
    """Stretches every channel to the range from 0 to 255."""
    low, high = ops.min(levels, axis=(1, 2), keepdims=True), ops.max(levels, axis=(1, 2), keepdims=True)
    stretched = (levels - low) * 255 / ops.maximum(high - low, 1)
    # A quotient of whole numbers is at least 1/255 away from the next whole number, or is one itself.
    stretched = ops.floor(stretched + 1 / 512) if whole else stretched
    return ops.where(high > low, ops.clip(stretched, 0, 255), levels)


def equalize(levels: Any) -> Any:
    """Equalizes the histogram of every channel."""
    height, width, channels = levels.shape[1:]
    first = 256.0 * ops.arange(channels, dtype="float32")  # the first number of each channel's levels
    numbers = ops.cast(
        ops.reshape(ops.clip(ops.floor(levels), 0, 255) + first, (-1, height * width * channels)), "int32"
    )
    ones = ops.ones(height * width * channels)
    histogram = ops.vectorized_map(lambda one: ops.segment_sum(ones, one, num_segments=256 * channels), numbers)
    tables = ops.reshape(_table(ops.reshape(histogram, (-1, channels, 256))), (-1, 256 * channels))
    equalized = ops.vectorized_map(lambda one: ops.take(one[0], one[1], axis=0), (tables, numbers))
    return ops.reshape(equalized, (-1, height, width, channels))


def _table(histogram: Any) -> Any:
    """Pillow's table: the number of darker pixels, in steps of 1/255 of all pixels below the highest level."""
    level = ops.arange(256, dtype="float32")
    highest = ops.max(ops.where(histogram > 0, level, 0.0), axis=-1, keepdims=True)
    below_highest = ops.sum(ops.where(level < highest, histogram, 0.0), axis=-1, keepdims=True)
    step = ops.floor((below_highest + 0.5) / 255)
    below = ops.cumsum(histogram, axis=-1) - histogram
    table = ops.floor((below + ops.floor(step / 2) + 0.5) / ops.maximum(step, 1))
    return ops.where(step > 0, ops.minimum(table, 255), level)


def posterize(levels: Any, bits: Any) -> Any:
    """Keeps the highest `bits` bits of every value."""
    step = ops.round(ops.power(2.0, 8 - bits))
    return ops.floor(levels / step) * step


def solarize(levels: Any, threshold: Any) -> Any:
    """Inverts every value at or above the threshold."""
    return ops.where(levels < threshold, levels, 255 - levels)


def color(levels: Any, factor: Any, whole: bool) -> Any:
    """Changes the saturation: a factor of 0 gives gray, 1 the image, more than 1 stronger colors."""
    return blend(gray(levels, whole), levels, factor, whole)


def contrast(levels: Any, factor: Any, whole: bool) -> Any:
    """Changes the contrast: a factor of 0 gives the mean gray, 1 the image, more than 1 more contrast."""
    mean = ops.floor(ops.mean(gray(levels, whole), axis=(1, 2, 3), keepdims=True) + 0.5)
    return blend(mean, levels, factor, whole)


def brightness(levels: Any, factor: Any, whole: bool) -> Any:
    """Changes the brightness: a factor of 0 gives black, 1 the image, more than 1 a brighter image."""
    return blend(0.0, levels, factor, whole)


def sharpness(levels: Any, factor: Any, whole: bool) -> Any:
    """Changes the sharpness: a factor of 0 gives a smooth image, 1 the image. Pixels at the edge do not change."""
    height, width = levels.shape[1:3]
    if min(height, width) < 3:
        return levels
    around = sum(levels[:, y : height - 2 + y, x : width - 2 + x] for y in range(3) for x in range(3))
    summed = around + 4 * levels[:, 1:-1, 1:-1]
    smooth = ops.floor(summed / 13 + 0.5) if whole else summed / 13
    middle = blend(smooth, levels[:, 1:-1, 1:-1], factor, whole)
    rows = ops.concatenate([levels[:, 1:-1, :1], middle, levels[:, 1:-1, -1:]], axis=2)
    return ops.concatenate([levels[:, :1], rows, levels[:, -1:]], axis=1)


def gray(levels: Any, whole: bool) -> Any:
    """ITU-R 601 luma with 16 fractional bits, as in Pillow: [B, H, W, 3] -> [B, H, W, 1]."""
    red, green, blue = (weight * levels[..., channel, None] for channel, weight in enumerate(_LUMA))
    luma = red + green + blue
    return ops.floor((luma + 32768) / 65536) if whole else luma / 65536


def blend(zero: Any, one: Any, factor: Any, whole: bool) -> Any:
    """zero + factor · (one - zero), clipped to the range from 0 to 255; whole numbers are rounded down."""
    blended = ops.clip(zero + factor * (one - zero), 0.0, 255.0)
    return ops.floor(blended) if whole else blended
