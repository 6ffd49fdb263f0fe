"""What "same" padding adds to the rows that a depthwise convolution sees."""


def same_margins(length: int, size: int, strides: int) -> tuple[int, int]:
    """What "same" padding adds before and after a row: in all (outputs - 1) * strides + size - length."""
    total = max((-(-length // strides) - 1) * strides + size - length, 0)
    return total // 2, total - total // 2
