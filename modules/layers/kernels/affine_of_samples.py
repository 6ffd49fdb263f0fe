"""An affine map of each sample, computed from the moments of its own maps, in few passes over memory.

    mean[n] = mean_HW(x[n])        square[n] = mean_HW((x[n] - center)^2)        center = mean_NHW(x)
    out[n] = (x[n] - center) scale[n] + shift[n]        scale, shift: any function of mean and square

This is for TensorFlow on a CPU, which makes a pass over memory for every operation. XLA makes one pass of a chain of
element-wise operations, and can end it with sums over a few neighboring pixels, so that a map that is only summed is
never written. The rest of a sum over height and width is a product with ones, which takes half the time of TensorFlow's
reductions.

If d is the gradient at out, the gradient at x is d scale + (x - center) slope + constant, which takes one pass if it is
computed as a whole. So `affine` passes d and scale back to `moments`: d as the gradient at x, and scale as the gradient
at `scale_here`, an output of `moments` that exists only for this.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

_MOST_FOLDED = 16  # pixels; XLA writes one term per pixel


class Moments(NamedTuple):
    """Maps x, (batch, height, width, channels), for use in `affine` only, and their moments."""

    x: Any
    center: Any  # (channels,)
    mean: Any  # (batch, channels)
    square: Any  # (batch, channels)
    scale_here: Any  # (batch, channels)


def moments(x: Any) -> Moments:
    """Returns the moments of the maps of each sample. All sizes except the batch must be known."""
    import tensorflow as tf

    area = x.shape[1] * x.shape[2]

    @tf.custom_gradient
    def run(x: Any) -> Any:
        mean = _sum_of_maps(x) / area
        center = tf.reduce_mean(mean, 0)
        square = _sum_of_maps(_in_one_pass("squares")(x, center)) / area

        def gradient(of_out: Any, of_center: Any, of_mean: Any, of_square: Any, scale: Any) -> Any:
            slope = 2 * of_square / area
            of_center -= area * tf.reduce_sum(slope * (mean - center), 0)
            constant = (of_mean + of_center / tf.cast(tf.shape(x)[0], x.dtype)) / area
            return _in_one_pass("gradient")(of_out, _spread(scale), x, center, _spread(slope), _spread(constant))

        return (tf.identity(x), center, mean, square, tf.zeros_like(mean)), gradient

    return Moments(*run(x))


def affine(maps: Moments, scale: Any, shift: Any) -> Any:
    """Returns (x - center) scale + shift, (batch, height, width, channels). Scale and shift: (batch, channels)."""
    import tensorflow as tf

    @tf.custom_gradient
    def run(x: Any, center: Any, scale: Any, shift: Any, scale_here: Any) -> Any:
        def gradient(of_out: Any) -> Any:
            of_scale = _sum_of_maps(_in_one_pass("products")(of_out, x, center))
            of_shift = _sum_of_maps(of_out)
            return of_out, -tf.reduce_sum(of_shift * scale, 0), of_scale, of_shift, scale

        return _in_one_pass("affine")(x, center, _spread(scale), _spread(shift)), gradient

    return run(maps.x, maps.center, scale, shift, maps.scale_here)


_CHAINS: dict[str, Callable[..., Any]] = {
    "affine": lambda x, center, scale, shift: (x - center) * scale + shift,
    "products": lambda of_out, x, center: _folded(lambda d, x: d * (x - center), of_out, x),
    "squares": lambda x, center: _folded(lambda x: (x - center) ** 2, x),
    "gradient": lambda of_out, scale, x, center, slope, constant: of_out * scale + (x - center) * slope + constant,
}


@cache  # one function for all layers, so that XLA compiles each shape once
def _in_one_pass(name: str) -> Callable[..., Any]:
    import tensorflow as tf

    return tf.function(_CHAINS[name], jit_compile=True)


def _folded(term: Callable[..., Any], *maps: Any) -> Any:
    """Sums terms over neighboring pixels: (batch, height, width, channels) each -> (batch, rows, 1, channels).

    The terms are made from slices of the maps. From slices of a map of terms, XLA would write that map first.
    """
    import tensorflow as tf

    _, height, width, channels = maps[0].shape
    fold = max(number for number in range(1, _MOST_FOLDED + 1) if height * width % number == 0)
    rows = [tf.reshape(x, (-1, height * width // fold, fold, channels)) for x in maps]
    return tf.add_n([term(*(row[:, :, pixel : pixel + 1] for row in rows)) for pixel in range(fold)])


def _sum_of_maps(x: Any) -> Any:
    """(batch, height, width, channels) -> (batch, channels)."""
    import tensorflow as tf

    rows = tf.reshape(x, (-1, x.shape[1] * x.shape[2], x.shape[3]))
    return tf.matmul(tf.ones((tf.shape(x)[0], 1, rows.shape[1])), rows)[:, 0]


def _spread(factor: Any) -> Any:
    """(batch, channels) -> (batch, 1, 1, channels)."""
    return factor[:, None, None]
