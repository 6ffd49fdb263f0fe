"""Channel groups as in MixNet: C // g channels each, and the remainder in the first group."""

from collections.abc import Callable, Sequence
from typing import Any

from keras import ops


def channel_groups(channels: int, groups: int) -> list[int]:
    """Returns the sizes of the groups. 32 channels in 3 groups are [12, 10, 10]."""
    if groups > channels:
        raise ValueError(f"Cannot divide {channels} channels into {groups} groups: use at most {channels} groups.")
    size = channels // groups
    return [channels - size * (groups - 1)] + [size] * (groups - 1)


def convolve_groups(
    convolve: Callable[[Any, Any], Any], inputs: Any, kernels: Sequence[Any], sizes: Sequence[int], axis: int
) -> Any:
    """Convolves each group of channels with its own kernel and concatenates the results."""
    if len(kernels) == 1:
        return convolve(inputs, kernels[0])
    boundaries = [sum(sizes[: i + 1]) for i in range(len(sizes) - 1)]  # [12, 10, 10] -> [12, 22]
    parts = ops.split(inputs, boundaries, axis=axis)
    return ops.concatenate([convolve(part, kernel) for part, kernel in zip(parts, kernels, strict=True)], axis=axis)
