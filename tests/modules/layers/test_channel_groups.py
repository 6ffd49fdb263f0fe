import pytest

from efficientmixnet.modules.layers.channel_groups import channel_groups


@pytest.mark.parametrize(
    ("channels", "groups", "expected"),
    [
        (32, 3, [12, 10, 10]),  # facts of MixNet: C // g each, the remainder to the first group
        (16, 1, [16]),
        (200, 5, [40, 40, 40, 40, 40]),
        (7, 4, [4, 1, 1, 1]),
        (3, 3, [1, 1, 1]),
    ],
)
def test_remainder_goes_to_the_first_group(channels: int, groups: int, expected: list[int]) -> None:
    assert channel_groups(channels, groups) == expected


def test_more_groups_than_channels_are_refused() -> None:
    with pytest.raises(ValueError, match="2 channels into 3 groups: use at most 2 groups"):
        channel_groups(2, 3)
