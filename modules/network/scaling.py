"""Compound scaling of width, depth and image size.

    depth = alpha^phi, width = beta^phi, size = gamma^phi      with alpha beta^2 gamma^2 about 2

Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", arXiv 1905.11946.
"""

import math
from typing import NamedTuple


class Scale(NamedTuple):
    """The factors of a scaled network, and the image size in pixels."""

    width_coefficient: float
    depth_coefficient: float
    default_size: int


def compound_scale(
    phi: float, alpha: float = 1.2, beta: float = 1.1, gamma: float = 1.15, base_size: int = 224
) -> Scale:
    """Returns the scale of a compound coefficient. 0 is the base network, and each step doubles the cost.

    Args:
        phi: The compound coefficient.
        alpha, beta, gamma: The bases of depth, width and image size.

    Returns:
        A Scale.

    Example:
        >>> compound_scale(0).default_size
        224
    """
    return Scale(beta**phi, alpha**phi, round(base_size * gamma**phi))


def round_filters(filters: int, width_coefficient: float, divisor: int = 8, min_depth: int | None = None) -> int:
    """Returns the scaled number of filters, a multiple of the divisor that is at most 10% below the exact value."""
    scaled = filters * width_coefficient
    rounded = max(min_depth or divisor, int(scaled + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * scaled else rounded


def round_repeats(repeats: int, depth_coefficient: float) -> int:
    """Returns the scaled number of repeats, rounded up."""
    return math.ceil(repeats * depth_coefficient)
