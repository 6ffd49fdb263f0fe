from typing import Any

import keras
import numpy as np
import pytest

from efficientmixnet.modules.layers import SqueezeExcite, convolution_initializer, dense_initializer
from efficientmixnet.modules.layers.initializers import RandomNormal, VarianceScaling


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


@pytest.mark.parametrize("shape", [(3, 3, 40, 70), (300, 70)])
@pytest.mark.parametrize("mode", ["fan_in", "fan_out", "fan_avg"])
@pytest.mark.parametrize("distribution", ["uniform", "untruncated_normal"])
def test_draws_have_the_distribution_of_keras(shape: tuple[int, ...], mode: str, distribution: str) -> None:
    ours, theirs = (
        np.ravel(scaling(0.7, mode, distribution, seed=3)(shape))
        for scaling in (VarianceScaling, keras.initializers.VarianceScaling)
    )
    for quantile in (0.1, 0.25, 0.5, 0.75, 0.9):
        assert np.quantile(ours, quantile) == pytest.approx(
            np.quantile(theirs, quantile), abs=0.05 * float(theirs.std())
        )


@pytest.mark.parametrize(
    "initializer", [VarianceScaling(2, "fan_out", seed=5), RandomNormal(1.0, 0.1, seed=5), convolution_initializer(5)]
)
def test_equal_seeds_give_equal_draws_after_saving(initializer: keras.initializers.Initializer) -> None:
    saved = keras.initializers.serialize(initializer)
    draw = np.asarray(initializer((3, 4)))
    np.testing.assert_array_equal(keras.initializers.deserialize(saved)((3, 4)), draw)
    saved["config"]["seed"] = 6
    assert not np.isclose(keras.initializers.deserialize(saved)((3, 4)), draw).any()


def test_a_seed_generator_gives_new_draws() -> None:
    initializer = VarianceScaling(2, "fan_out", seed=keras.random.SeedGenerator(1))
    assert not np.isclose(initializer((3, 4)), initializer((3, 4))).any()


def test_functions_initialize_every_kernel_of_a_layer() -> None:
    """Keras takes functions of shape and dtype for initializers."""

    def halves(shape: tuple[int, ...], dtype: str | None = None) -> Any:
        return keras.ops.full(shape, 0.5, dtype)

    layer = SqueezeExcite(kernel_initializer=halves)
    layer.build((None, None, None, 8))
    for kernel in (layer.reduce_kernel, layer.expand_kernel):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(kernel), 0.5)
