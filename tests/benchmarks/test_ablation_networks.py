"""The ablation counts the operations of a training."""

import pytest


def test_the_operations_of_the_network_for_96_percent_are_those_of_airbench96() -> None:
    from ablation_candidates import AIRBENCH96, BEST_CANDIDATE, LARGE
    from ablation_networks import operations

    convolutions = [  # places of the output, inputs of a place, filters
        (32 * 32, 9 * 3, 64),
        (32 * 32, 9 * 64, 64),
        (16 * 16, 9 * 64, 128),
        *2 * [(16 * 16, 9 * 128, 128)],
        (8 * 8, 9 * 128, 256),
        *2 * [(8 * 8, 9 * 256, 256)],
        (4 * 4, 9 * 256, 512),
        (4 * 4, 9 * 512, 512),
        (4 * 4, 512, 512),
    ]
    normalized = sum(places * filters for places, _, filters in convolutions)
    multiply_adds = sum(places * inputs * filters for places, inputs, filters in convolutions) + normalized + 512 * 10
    assert operations(BEST_CANDIDATE, LARGE, images=1) == 6 * multiply_adds
    whole = operations(BEST_CANDIDATE, LARGE, images=LARGE.epochs * 45_000)
    assert 0.97 * AIRBENCH96 < whole <= AIRBENCH96


@pytest.mark.parametrize("name", ["plain, swish, bn, Adam", "mixed kernels", "an, depthwise, no squeeze-excite"])
def test_operations_are_those_of_the_network_that_trains(name: str) -> None:
    from ablation_candidates import CANDIDATES, SHORT
    from ablation_networks import network, summary

    assert network(CANDIDATES[name], SHORT).count_params() == summary(CANDIDATES[name], SHORT).parameters
