"""Filters, repeats and sizes grow as in the papers."""

import pytest

from efficientmixnet.modules.network.scaling import compound_scale, round_filters, round_repeats


# Channels of B7, B2, L2 and MixNet-L as their authors' checkpoints have them.
@pytest.mark.parametrize(
    ("filters", "width", "rounded"),
    [
        (32, 2.0, 64),
        (1280, 2.0, 2560),
        (1280, 1.1, 1408),
        (112, 1.1, 120),
        (16, 1.1, 16),
        (32, 4.3, 136),
        (24, 1.3, 32),
    ],
)
def test_filters_are_rounded_to_multiples_of_eight(filters, width, rounded):
    assert round_filters(filters, width) == rounded


def test_rounding_loses_at_most_a_tenth():
    assert round_filters(10, 1.0) == 16  # 8 would be 20% below 10
    assert round_filters(10, 1.0, divisor=4) == 12


def test_min_depth_is_a_lower_bound():
    assert round_filters(32, 0.25, min_depth=24) == 24
    assert round_filters(32, 0.25) == 8


@pytest.mark.parametrize(("repeats", "depth", "rounded"), [(4, 3.1, 13), (1, 1.1, 2), (3, 1.0, 3), (4, 5.3, 22)])
def test_repeats_are_rounded_up(repeats, depth, rounded):
    assert round_repeats(repeats, depth) == rounded


def test_compound_scale_of_the_paper():
    width, depth, size = compound_scale(2)
    assert (width, depth, size) == (pytest.approx(1.21), pytest.approx(1.44), 296)
    assert compound_scale(0) == (1.0, 1.0, 224)
