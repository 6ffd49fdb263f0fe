"""shifted_depthwise_conv2d: a depthwise convolution as a sum of shifted maps, for JAX on CPUs.

    out[n, y, x, c] = sum_ij in[n, s y + i d - top, s x + j d - left, c] kernel[i, j, c]

XLA's convolution with as many groups as channels takes ten to forty times as long on a CPU. A chain of products and
sums becomes one pass over memory, and so does its gradient at the inputs.
"""

from typing import Any

from keras import ops


def shifted_depthwise_conv2d(inputs: Any, kernel: Any, strides: int, padding: str, dilation_rate: int) -> Any:
    """Convolves (batch, height, width, channels) with (size, size, channels, 1)."""
    reach = (kernel.shape[0] - 1) * dilation_rate + 1
    if padding == "same":
        margins = [same_margins(length, reach, strides) for length in inputs.shape[1:3]]
        inputs = ops.pad(inputs, ((0, 0), *margins, (0, 0)))
    ends = [length - reach + 1 for length in inputs.shape[1:3]]  # the extent that the kernel's first value covers
    outputs = 0
    for i in range(0, reach, dilation_rate):
        for j in range(0, reach, dilation_rate):
            seen = inputs[:, i : i + ends[0] : strides, j : j + ends[1] : strides]
            outputs += seen * kernel[i // dilation_rate, j // dilation_rate, :, 0]
    return outputs


def same_margins(length: int, size: int, strides: int) -> tuple[int, int]:
    """Returns what "same" padding adds before and after a row: in total (outputs - 1) * strides + size - length."""
    total = max((-(-length // strides) - 1) * strides + size - length, 0)
    return total // 2, total - total // 2
