"""How MixNet divides channels into groups: C // g each, the remainder to the first one."""


def channel_groups(channels: int, groups: int) -> list[int]:
    """The groups' sizes, e.g. 32 channels in 3 groups: [12, 10, 10]."""
    if groups > channels:
        raise ValueError(f"Cannot divide {channels} channels into {groups} groups: use at most {channels} groups.")
    size = channels // groups
    return [channels - size * (groups - 1)] + [size] * (groups - 1)


def boundaries(sizes: list[int]) -> list[int]:
    """Where one group ends and the next starts, as keras.ops.split takes it: [12, 10, 10] -> [12, 22]."""
    return [sum(sizes[: i + 1]) for i in range(len(sizes) - 1)]
