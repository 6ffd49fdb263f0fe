import numpy as np
import pytest

from efficientmixnet.modules.layers import convolution_initializer, dense_initializer


@pytest.mark.parametrize(
    ("shape", "deviation"),
    [
        ((3, 3, 7, 128), 0.0416667),  # sqrt(2 / (9 * 128))
        ((1, 1, 64, 320), 0.0790569),  # sqrt(2 / 320)
        ((5, 5, 512, 1), 0.2828427),  # depthwise: sqrt(2 / 25), as in the EfficientNet source
    ],
)
def test_convolutions_start_normal_with_the_deviation_of_their_fan_out(
    shape: tuple[int, ...], deviation: float
) -> None:
    draws = np.ravel(convolution_initializer(seed=0)(shape))
    assert draws.std() == pytest.approx(deviation, rel=0.03)
    assert abs(draws.mean()) < 0.05 * deviation
    # Not truncated: of a normal distribution 4.55 percent lie more than two deviations away.
    assert np.mean(np.abs(draws) > 2 * deviation) == pytest.approx(0.0455, abs=0.01)


def test_dense_weights_start_uniform_within_one_over_the_root_of_the_classes() -> None:
    draws = np.ravel(dense_initializer(seed=0)((300, 100)))
    assert 0.0999 < draws.max() <= 0.1
    assert -0.1 <= draws.min() < -0.0999
    assert draws.std() == pytest.approx(0.2 / np.sqrt(12), rel=0.02)
